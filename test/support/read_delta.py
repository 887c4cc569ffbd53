"""Reads a Delta table with delta-rs and writes JSON lines: first a header, then one array of column values a row.

Called by delta-rs.ts with one JSON argument: {path, version?, appIds?, storageOptions?}.
Integers of 64 bits and decimals leave as strings, timestamps as microseconds, dates as ISO days, bytes as base64.
"""

import base64
import json
import os
import sys

import pyarrow as pa
from deltalake import DeltaTable


def describe(kind):
    """The type as delta-rs.ts decodes it."""
    if pa.types.is_timestamp(kind):
        return {"kind": "timestamp"}
    if pa.types.is_int64(kind) or pa.types.is_uint64(kind):
        return {"kind": "int64"}
    if pa.types.is_floating(kind):
        return {"kind": "float"}
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_list_view(kind):
        return {"kind": "list", "of": describe(kind.value_type)}
    if pa.types.is_struct(kind):
        return {"kind": "struct", "fields": {field.name: describe(field.type) for field in kind}}
    return {"kind": "plain"}


def encode(column):
    """The column's values as things that JSON can carry."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return encode(column.cast(kind.value_type))
    if pa.types.is_timestamp(kind):
        micros = pa.timestamp("us", tz=kind.tz)
        return column.cast(micros, safe=False).cast(pa.int64()).to_pylist()
    if pa.types.is_int64(kind) or pa.types.is_uint64(kind) or pa.types.is_decimal(kind):
        return column.cast(pa.string()).to_pylist()
    if pa.types.is_date(kind):
        return column.cast(pa.string()).to_pylist()
    if pa.types.is_floating(kind):
        return [None if v is None else v if abs(v) < float("inf") else str(v) for v in column.to_pylist()]
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return [None if v is None else base64.b64encode(v).decode() for v in column.to_pylist()]
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return encode_lists(column)
    if pa.types.is_struct(kind):
        fields = {field.name: encode(column.field(i)) for i, field in enumerate(kind)}
        valid = column.is_valid().to_pylist()
        return [{name: values[i] for name, values in fields.items()} if valid[i] else None for i in range(len(column))]
    return column.to_pylist()


def encode_lists(column):
    values = encode(column.values)
    offsets = column.offsets.to_pylist()
    valid = column.is_valid().to_pylist()
    return [values[offsets[i] : offsets[i + 1]] if valid[i] else None for i in range(len(column))]


def main():
    request = json.loads(sys.argv[1])
    table = DeltaTable(
        request["path"],
        version=request.get("version"),
        storage_options=request.get("storageOptions"),
    )
    dataset = table.to_pyarrow_dataset()
    header = {
        "version": table.version(),
        "columns": [{"name": field.name, "type": describe(field.type)} for field in dataset.schema],
        "txns": {app: table.transaction_version(app) for app in request.get("appIds", [])},
        "history": table.history(),
        "files": table.file_uris(),
        "partitionColumns": table.metadata().partition_columns,
    }
    out = sys.stdout
    out.write(json.dumps(header, default=str) + "\n")
    for batch in dataset.to_batches():
        columns = [encode(column) for column in batch.columns]
        out.writelines(json.dumps(row) + "\n" for row in zip(*columns))


# all is said then; the interpreter's own end can meet pyarrow's threads, and abort or hang
try:
    main()
    sys.stdout.flush()
    os._exit(0)
except Exception as error:
    print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
    os._exit(1)

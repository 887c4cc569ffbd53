import { expect, test } from 'vitest';
import { faultOf, ServerFault } from '#src/embedded/clickhouse-front-fault.js';

test("chDB's words become a server's: one code, one name, and the status that goes with it", () => {
  const fault = faultOf(
    new Error('Query failed: Code: 60. DB::Exception: Table e.nope does not exist. (UNKNOWN_TABLE)'),
  );
  expect([fault.number, fault.fault, fault.status]).toEqual([60, 'UNKNOWN_TABLE', 404]);
  expect(fault.text('26.7.2.1')).toBe(
    'Code: 60. DB::Exception: Table e.nope does not exist. (UNKNOWN_TABLE) (version 26.7.2.1)\n',
  );
});

test('an error that chDB wraps twice is unwrapped, and the file of the front is not in it', () => {
  const fault = faultOf(
    new Error(
      'Code: 117. DB::Exception: Code: 117. DB::Exception: Parquet file too short: 0 bytes: ' +
        '(in file/uri /a/bodies/body-1): While executing ParquetV3BlockInputFormat: While executing File: ' +
        'data for INSERT was parsed from file. (INCORRECT_DATA) (version 26.7.2.1). (INCORRECT_DATA)',
    ),
  );
  expect([fault.number, fault.fault, fault.status]).toEqual([117, 'INCORRECT_DATA', 400]);
  expect(fault.message).toBe('Parquet file too short: 0 bytes: While executing ParquetV3BlockInputFormat.');
});

test('statuses are those of a server', () => {
  const statusOf = (name: string) => new ServerFault(1, name, 'x').status;
  expect(statusOf('AUTHENTICATION_FAILED')).toBe(403);
  expect(statusOf('SYNTAX_ERROR')).toBe(400);
  expect(statusOf('UNKNOWN_SETTING')).toBe(404);
  expect(statusOf('TIMEOUT_EXCEEDED')).toBe(408);
  expect(statusOf('NOT_IMPLEMENTED')).toBe(501);
  expect(statusOf('MEMORY_LIMIT_EXCEEDED')).toBe(500);
});

test('what is not in the words of ClickHouse is an error of the server', () => {
  const fault = faultOf(new TypeError('x is not a function'));
  expect([fault.number, fault.fault, fault.status]).toEqual([49, 'LOGICAL_ERROR', 500]);
  expect(faultOf(fault)).toBe(fault);
});

/**
 * Errors as a ClickHouse server words them over HTTP: `Code: N. DB::Exception: … (NAME) (version …)`, and the HTTP status
 * that goes with the name, as exceptionCodeToHTTPStatus.cpp of ClickHouse 26 has it.
 */

/** What a server answers instead of a result. Thrown inside the front, never outside. */
export class ServerFault extends Error {
  readonly number: number;
  /** ClickHouse's name of the error, such as UNKNOWN_TABLE. */
  readonly fault: string;

  constructor(number: number, fault: string, message: string) {
    super(message);
    this.name = 'ServerFault';
    this.number = number;
    this.fault = fault;
  }

  get status(): number {
    return STATUS_OF_FAULT.get(this.fault) ?? 500;
  }

  /** The body of the answer. */
  text(version: string): string {
    return `Code: ${this.number}. DB::Exception: ${this.message} (${this.fault}) (version ${version})\n`;
  }
}

const FAULTS_BY_STATUS: Readonly<Record<number, string>> = {
  400:
    'BAD_ARGUMENTS CANNOT_COMPILE_REGEXP CANNOT_PARSE_TEXT CANNOT_PARSE_ESCAPE_SEQUENCE ' +
    'CANNOT_PARSE_QUOTED_STRING CANNOT_PARSE_DATE CANNOT_PARSE_DATETIME CANNOT_PARSE_NUMBER ' +
    'CANNOT_PARSE_DOMAIN_VALUE_FROM_STRING CANNOT_PARSE_IPV4 CANNOT_PARSE_IPV6 CANNOT_PARSE_UUID ' +
    'CANNOT_PARSE_INPUT_ASSERTION_FAILED DUPLICATE_COLUMN ILLEGAL_COLUMN THERE_IS_NO_COLUMN ' +
    'UNKNOWN_ELEMENT_IN_AST UNKNOWN_TYPE_OF_AST_NODE TOO_DEEP_AST TOO_BIG_AST UNEXPECTED_AST_STRUCTURE ' +
    'SYNTAX_ERROR INCORRECT_DATA TYPE_MISMATCH VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE',
  401: 'REQUIRED_PASSWORD',
  403: 'UNKNOWN_USER WRONG_PASSWORD AUTHENTICATION_FAILED SET_NON_GRANTED_ROLE ACCESS_DENIED',
  404:
    'UNKNOWN_TABLE UNKNOWN_FUNCTION UNKNOWN_IDENTIFIER UNKNOWN_TYPE UNKNOWN_STORAGE UNKNOWN_DATABASE ' +
    'UNKNOWN_SETTING UNKNOWN_DIRECTION_OF_SORTING UNKNOWN_AGGREGATE_FUNCTION UNKNOWN_FORMAT ' +
    'UNKNOWN_DATABASE_ENGINE UNKNOWN_TYPE_OF_QUERY UNKNOWN_ROLE',
  408: 'TIMEOUT_EXCEEDED',
  411: 'HTTP_LENGTH_REQUIRED',
  413: 'QUERY_IS_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  501: 'NOT_IMPLEMENTED',
  503: 'SOCKET_TIMEOUT CANNOT_OPEN_FILE CANNOT_SCHEDULE_TASK',
};
const STATUS_OF_FAULT = new Map(
  Object.entries(FAULTS_BY_STATUS).flatMap(([status, faults]) =>
    faults.split(' ').map((fault) => [fault, Number(status)] as const),
  ),
);

/** `Code: N. DB::Exception: `, which chDB puts in front once more when the client part of it wraps an error. */
const PREFIX = /^(?:Query failed: )?(?:Code: (\d+)\. DB::Exception: )+/;
/** ` (NAME)`, with the version and the repeated name of a wrapped error. */
const SUFFIX = /\s*\(([A-Z][A-Z0-9_]{2,})\)(?: \(version [^)]*\)\. \(\1\))?\s*$/;
/** What chDB says of the file that the front put the data into: a server has none. */
const OF_OUR_FILE =
  /: \(in file\/uri [^)]*\)|: While executing File(?=: data for INSERT)|: data for INSERT was parsed from (?:file|query)\.?/g;

/** The fault in what chDB threw. Words that are not ClickHouse's become LOGICAL_ERROR. */
export function faultOf(error: unknown): ServerFault {
  if (error instanceof ServerFault) return error;
  const message = error instanceof Error ? error.message : String(error);
  const prefix = PREFIX.exec(message);
  const suffix = SUFFIX.exec(message);
  if (prefix === null || suffix === null) return new ServerFault(49, 'LOGICAL_ERROR', message.trim());
  const words = message.slice(prefix[0].length, suffix.index).replace(OF_OUR_FILE, '');
  return new ServerFault(Number(prefix[1]), suffix[1]!, /[.?!]$/.test(words) ? words : `${words}.`);
}

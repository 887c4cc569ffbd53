import { HeadraceError } from '../../errors.js';

/** What @platformatic/kafka knows of an answer: the error's name in the protocol, and the broker's own words. */
interface Answered {
  errors?: unknown[];
  cause?: unknown;
  apiId?: string;
  serverErrorMessage?: string | null;
}

/** A login that a broker did not take, by the library's error. */
export function loginRefused(error: unknown): HeadraceError {
  const answers = leavesOf(error);
  const ids = answers.map(({ apiId }) => apiId);
  if (ids.includes('UNSUPPORTED_SASL_MECHANISM')) {
    return new HeadraceError('KAFKA_AUTH', 'the broker does not offer this SASL mechanism on this port', {
      remedy: 'set kafka.security.mechanism to one that the listener has (sasl.enabled.mechanisms)',
    });
  }
  if (ids.includes('ILLEGAL_SASL_STATE')) {
    return new HeadraceError('KAFKA_AUTH', 'the broker asks for no login on this port', {
      remedy: 'set kafka.security.protocol to ssl, or name the port of its SASL_SSL listener',
    });
  }
  const words = answers.map(({ serverErrorMessage }) => serverErrorMessage).find((each) => each);
  const said = words === undefined || words === null ? '' : `: ${words.replace(/\s+/g, ' ').slice(0, 200)}`;
  return new HeadraceError('KAFKA_AUTH', `the broker refuses the login${said}`, {
    remedy: 'check kafka.security: mechanism, user and password file (or token)',
  });
}

function leavesOf(error: unknown): Answered[] {
  if (typeof error !== 'object' || error === null) return [];
  const { errors, cause } = error as Answered;
  return [error as Answered, ...(Array.isArray(errors) ? errors.flatMap(leavesOf) : []), ...leavesOf(cause)];
}

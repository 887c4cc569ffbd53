import { isIP } from 'node:net';
import { AuthenticationError, Connection, UnexpectedCorrelationIdError, Writer } from '@platformatic/kafka';
import { HeadraceError, messageOf } from '../errors.js';
import type { BrokerTransport, TransportOptions, TransportRequest } from './broker-transport.js';
import { FrameGuard, refusalOf } from './frame-guard.js';
import { loginRefused } from './security/login-refused.js';
import { tlsFailure } from './security/tls-failure.js';
import { ByteSlices } from './wire/byte-slices.js';

/**
 * Kafka over TLS, or with SASL: @platformatic/kafka's connection with our messages.
 *
 * Invariants
 * - An announced length below 4 or above the cap closes the connection before the library sees it.
 * - It is given up after a time-out: the library's parser stays stuck behind the unread answer.
 * - A login is renewed when the broker says that it ends, and nothing else is under way then: a broker closes a connection that
 *   asks for anything in between, and the library would.
 */
export class LibraryTransport implements BrokerTransport {
  readonly #connection: Connection;
  readonly #options: TransportOptions;
  readonly #onBroken: (error: unknown) => void;
  #broken: { error: unknown } | null = null;
  #underWay = 0;
  /** While the login is renewed: what waits for it. */
  #held: (() => void)[] | null = null;

  constructor(options: TransportOptions, onBroken: (error: unknown) => void) {
    this.#options = options;
    this.#onBroken = onBroken;
    this.#connection = new Connection(options.clientId, {
      ...options.security,
      connectTimeout: options.connectTimeoutMs,
      requestTimeout: options.requestTimeoutMs,
      // who is asked for by name says so: several brokers may share an address; an IP address is no such name
      ...(options.security.tls === undefined || isIP(options.host) !== 0 ? {} : { tlsServerName: true }),
    });
    this.#connection.reauthenticate = () => {
      this.#held ??= [];
      this.#renewWhenIdle();
    };
    this.#connection.on('sasl:authentication:extended', () => this.#release());
    this.#connection.on('error', (error) => this.#break(named(error)));
    this.#connection.on('close', () => this.#break(new Error('connection closed')));
  }

  async connect(): Promise<void> {
    if (this.#broken !== null) throw this.#broken.error;
    const connected = this.#connection.connect(this.#options.host, this.#options.port);
    const { socket } = this.#connection;
    socket.on('error', () => undefined); // the library listens once while connecting; a second error must not throw
    socket.once(this.#options.security.tls ? 'secureConnect' : 'connect', () => this.#interpose());
    try {
      await connected;
    } catch (error) {
      throw named(error);
    }
  }

  send<Response>(
    { apiKey, apiVersion, flexible, body }: TransportRequest,
    decode: (answer: ByteSlices) => Response,
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      const answered = (error: Error | null, response?: Response) => {
        this.#underWay -= 1;
        this.#renewWhenIdle();
        if (error === null) resolve(response as Response);
        else reject(named(error));
      };
      const sendNow = () => {
        if (this.#broken !== null) return reject(this.#broken.error);
        this.#underWay += 1;
        this.#connection.send<Response>(
          apiKey,
          apiVersion,
          () => Writer.create().append(Buffer.concat(body)),
          (_correlationId, _key, _version, { buffer }) =>
            decode(new ByteSlices(buffer.buffers, buffer.length)),
          flexible,
          false, // the header's tags are decode's to read: the library takes them to be one byte
          answered,
        );
      };
      if (this.#held === null) sendNow();
      else this.#held.push(sendNow);
    });
  }

  destroy(): void {
    this.#break(new Error('connection closed by us'));
  }

  #renewWhenIdle(): void {
    if (this.#held === null || this.#underWay > 0 || this.#broken !== null) return;
    Connection.prototype.reauthenticate.call(this.#connection);
  }

  #release(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const send of held) send();
  }

  /** Puts the guard in front of the library's reader, which attached itself in the listener before this one. */
  #interpose(): void {
    const { socket } = this.#connection;
    const readers = socket.listeners('data') as ((chunk: Buffer) => void)[];
    const { responseBytesMax } = this.#options;
    const guard = new FrameGuard(responseBytesMax);
    socket.removeAllListeners('data');
    socket.on('data', (chunk: Buffer) => {
      if (this.#broken !== null) return;
      const refused = guard.tryRefuse(chunk);
      if (refused !== null) return this.#break(refusalOf(refused, responseBytesMax));
      try {
        for (const reader of readers) reader.call(socket, chunk);
      } catch (error) {
        this.#break(new HeadraceError('KAFKA_PROTOCOL', messageOf(error)));
      }
    });
  }

  #break(error: unknown): void {
    if (this.#broken !== null) return;
    this.#broken = { error };
    this.#onBroken(error);
    this.#release();
    // undefined while the library has not made one
    (this.#connection.socket as Connection['socket'] | undefined)?.destroy();
    // stops the timer of SASL's re-authentication; the socket is gone whatever it answers
    this.#connection.close(() => undefined);
  }
}

/** What the library means by an error, where it matters to us. */
function named(error: unknown): unknown {
  const causes: unknown[] = [];
  for (let cause = error; cause instanceof Error; cause = cause.cause) causes.push(cause);
  const ours = causes.find((cause) => cause instanceof HeadraceError) ?? tlsFailure(error);
  if (ours !== null && ours !== undefined) return ours;
  const confused = causes.find((cause) => cause instanceof UnexpectedCorrelationIdError);
  if (confused !== undefined) return new HeadraceError('KAFKA_PROTOCOL', messageOf(confused));
  const refused = causes.find((cause) => cause instanceof AuthenticationError);
  return refused === undefined ? error : loginRefused(refused);
}

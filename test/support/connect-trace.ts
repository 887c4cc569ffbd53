/** What strace says of connect and of sends that name an address, as addresses. Names of sockets on this machine (AF_UNIX) are none. */
export interface Attempt {
  address: string;
  port: number;
  /** The line of strace. */
  call: string;
}

const IPV4 = /sin_port=htons\((\d+)\), sin_addr=inet_addr\("([^"]+)"\)/;
const IPV6 = /sin6_port=htons\((\d+)\).*?inet_pton\(AF_INET6, "([^"]+)"/;
const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/;
const DNS_PORT = 53;

export function attemptsIn(trace: string): Attempt[] {
  return trace.split('\n').flatMap((call) => {
    const [, port, address] = IPV4.exec(call) ?? IPV6.exec(call) ?? [];
    return port === undefined ? [] : [{ address: address!, port: Number(port), call }];
  });
}

/** To another machine, or a question for a name, wherever it goes: a resolver of this machine would ask others. */
export function isOutside({ address, port }: Attempt): boolean {
  return !LOOPBACK.test(address) || port === DNS_PORT;
}

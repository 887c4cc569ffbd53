export const JMX_AGENT_VERSION: string;
/** The jar of Prometheus' JMX agent, there or not. */
export function jmxAgentJar(): string;

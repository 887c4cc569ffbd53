/** Every command line in here is parsed by a test. */
export const MONITOR_EXAMPLES = `
Examples:
  headrace monitor --brokers localhost:9092
      Brokers, topics and groups in one view, every two seconds; rates are the growth of offsets and logs.

  headrace monitor --brokers localhost:9092 --metrics 9404
      And what the brokers' JMX agents say, each at port 9404 of its broker; or --metrics 1=host:9404,2=host:9405, or addresses in the order of broker ids.

  headrace monitor --brokers localhost:9092 --check under-replicated=0 --check 'lag<10000'
      For a script: looks, says which checks fail, exit 1 when one does. lag:GROUP asks of one group.

  headrace monitor --brokers localhost:9092 --producers /run/producers --check send-errors=0
      With what producers say of themselves: each writes its metrics to a .json file there (metricsFile, produce --metrics-file).

  headrace monitor --brokers localhost:9092 --once --json
      One JSON object; without --once one a line, every --interval.

Figures for --check: under-replicated, offline, brokers, lag, messages-in, bytes-in, and with agents bytes-out, requests, with producers' files send-errors, send-p99.
What is not known fails a check. Exit codes: 0 done, 1 a check failed, 64 wrong flag, 75 no broker answers.
`;

/** What `--help` teaches by. Every command line in here is parsed by a test. */

export const SYSTEMD_EXAMPLES = `
Examples:
  headrace systemd install --dry-run
      What would be written: the unit, and what in it is this machine's. Changes nothing.

  headrace systemd install --instance clicks
      headrace@clicks, one of several engines here: reads /etc/headrace/clicks.yaml, keeps what is its own in /var/lib/headrace-clicks.

  headrace systemd install --config /etc/headrace/engine.yaml --prefix ./image
      Into the files of an image: ./image/etc/systemd/system.

Files that the settings name (passwords, keys) become the service's credentials: root alone needs to be able to read them. Called
again it changes nothing, or shows the lines that change. What you want otherwise belongs into a file of your own: systemctl edit headrace.
Exit codes: 0 done or nothing to do, 64 not root or a wrong flag, 78 wrong setting.
`;

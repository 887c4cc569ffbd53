package headrace.compare;

import java.util.concurrent.atomic.LongAdder;

/**
 * What the benchmark reads from standard output: `PROGRESS n`, events read so far, ten times a second, and at the end
 * `RESULT {…}`, the sums.
 */
final class Watched {
  private static final long EVERY_MS = 100;

  /** Events read by all threads. */
  static final LongAdder READ = new LongAdder();
  private static final SessionSums SUMS = new SessionSums();

  static void start() {
    Thread thread = new Thread(Watched::tell, "progress");
    thread.setDaemon(true);
    thread.start();
  }

  /** What one thread has found; once each. */
  static synchronized void add(SessionSums sums) {
    SUMS.addAll(sums);
  }

  static synchronized void result() {
    System.out.println("PROGRESS " + READ.sum());
    System.out.println("RESULT " + SUMS.toJson());
    System.out.flush();
  }

  private static void tell() {
    long told = 0;
    try {
      for (;;) {
        Thread.sleep(EVERY_MS);
        long read = READ.sum();
        if (read == told) continue;
        told = read;
        System.out.println("PROGRESS " + read);
        System.out.flush();
      }
    } catch (InterruptedException ended) {
      Thread.currentThread().interrupt();
    }
  }
}

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Java's side of the benchmark `producer-latency`: `produce` sends at times that are fixed beforehand, `consume` says how long
 * after these each record was read, whoever sent it. A record's value says when it was due: 16 digits, microseconds since 1970.
 */
class LatencyProbe {
  static final int DUE_AT = 13;
  static final int DUE_DIGITS = 16;
  static final long WAKE_NANOS = 1_000_000;
  static final long SILENCE_MICROS_MAX = 30_000_000;

  public static void main(String[] args) throws Exception {
    if (args[0].equals("produce")) produce(args);
    else consume(args);
  }

  static long nowMicros() {
    Instant now = Instant.now();
    return now.getEpochSecond() * 1_000_000 + now.getNano() / 1_000;
  }

  /** produce TOPIC RATE EVENTS FILE PROPERTY=VALUE…; the file has a key, a tab and a value a line. */
  static void produce(String[] args) throws Exception {
    String topic = args[1];
    double rate = Double.parseDouble(args[2]);
    int events = Integer.parseInt(args[3]);
    List<byte[]> keys = new ArrayList<>();
    List<byte[]> values = new ArrayList<>();
    for (String line : Files.readAllLines(Path.of(args[4]))) {
      int tab = line.indexOf('\t');
      keys.add(line.substring(0, tab).getBytes(StandardCharsets.UTF_8));
      values.add(line.substring(tab + 1).getBytes(StandardCharsets.UTF_8));
    }
    Properties config = new Properties();
    for (int i = 5; i < args.length; i++) {
      int equals = args[i].indexOf('=');
      config.put(args[i].substring(0, equals), args[i].substring(equals + 1));
    }
    AtomicLong failed = new AtomicLong();
    long behindMax = 0;
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
      producer.partitionsFor(topic);
      long start = nowMicros() + 100_000;
      for (int i = 0; i < events; ) {
        long now = nowMicros();
        long due = start + (long) (i * 1e6 / rate);
        if (due > now) {
          LockSupport.parkNanos(WAKE_NANOS);
          continue;
        }
        behindMax = Math.max(behindMax, now - due);
        byte[] value = values.get(i % values.size()).clone();
        for (int digit = DUE_DIGITS - 1; digit >= 0; digit--, due /= 10) value[DUE_AT + digit] = (byte) ('0' + due % 10);
        producer.send(
            new ProducerRecord<>(topic, keys.get(i % keys.size()), value),
            (metadata, error) -> {
              if (error != null) failed.incrementAndGet();
            });
        i++;
      }
      producer.flush();
    }
    System.out.println(
        "{\"sent\":" + (events - failed.get()) + ",\"failed\":" + failed + ",\"behindMsMax\":" + behindMax / 1e3 + "}");
  }

  /** consume BROKERS TOPIC EVENTS WARM_UP_MICROS */
  static void consume(String[] args) {
    String topic = args[2];
    int events = Integer.parseInt(args[3]);
    long warmUp = Long.parseLong(args[4]);
    Properties config = new Properties();
    config.put("bootstrap.servers", args[1]);
    long[] micros = new long[events];
    int received = 0;
    int measured = 0;
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      List<TopicPartition> partitions = new ArrayList<>();
      consumer.partitionsFor(topic).forEach(each -> partitions.add(new TopicPartition(topic, each.partition())));
      consumer.assign(partitions);
      consumer.seekToEnd(partitions);
      partitions.forEach(consumer::position);
      System.out.println("READY");
      long first = 0;
      long last = nowMicros();
      while (received < events && nowMicros() - last < SILENCE_MICROS_MAX) {
        ConsumerRecords<byte[], byte[]> records = consumer.poll(Duration.ofMillis(100));
        long now = nowMicros();
        if (!records.isEmpty()) last = now;
        for (ConsumerRecord<byte[], byte[]> record : records) {
          long due = dueOf(record.value());
          if (received++ == 0) first = due;
          if (due >= first + warmUp) micros[measured++] = now - due;
        }
      }
    }
    long[] sorted = Arrays.copyOf(micros, measured);
    Arrays.sort(sorted);
    System.out.println(
        "{\"received\":" + received + ",\"measured\":" + measured + ",\"p50\":" + at(sorted, 0.5) + ",\"p99\":"
            + at(sorted, 0.99) + ",\"p999\":" + at(sorted, 0.999) + ",\"max\":" + at(sorted, 1) + "}");
  }

  static long dueOf(byte[] value) {
    long due = 0;
    for (int digit = 0; digit < DUE_DIGITS; digit++) due = due * 10 + value[DUE_AT + digit] - '0';
    return due;
  }

  /** Milliseconds. */
  static double at(long[] sorted, double share) {
    if (sorted.length == 0) return 0;
    return sorted[Math.min(sorted.length - 1, (int) Math.floor(share * sorted.length))] / 1e3;
  }
}

package headrace.compare;

import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.Stores;

/**
 * Kafka Streams in this JVM: the Processor API, a store with its changelog in Kafka and a cache before it, exactly once with a
 * commit each ten seconds.
 *
 * Arguments: brokers, topic, application id, heap or rocksdb, threads, partitions of the topic, events in it, folder of the state.
 */
public final class StreamsRival {
  private static final long COMMIT_MS = 10_000;
  private static final long CACHE_BYTES = 256L * 1024 * 1024;

  private StreamsRival() {}

  public static void main(String[] args) throws Exception {
    String topic = args[1];
    int partitions = Integer.parseInt(args[5]);
    long events = Long.parseLong(args[6]);
    Properties settings = new Properties();
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, args[0]);
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, args[2]);
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, args[4]);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, args[7]);
    settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, COMMIT_MS);
    settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, CACHE_BYTES);
    settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");

    CountDownLatch partitionsLeft = new CountDownLatch(partitions);
    KeyValueBytesStoreSupplier store = args[3].equals("rocksdb")
        ? Stores.persistentKeyValueStore(SessionProcessor.STORE)
        : Stores.inMemoryKeyValueStore(SessionProcessor.STORE);
    Topology topology = new Topology();
    topology.addSource("events", new StringDeserializer(), new ByteArrayDeserializer(), topic);
    topology.addProcessor("sessions", () -> new SessionProcessor(events, partitionsLeft), "events");
    topology.addStateStore(
        Stores.keyValueStoreBuilder(store, Serdes.String(), SessionSerde.make()).withCachingEnabled(),
        "sessions");
    KafkaStreams streams = new KafkaStreams(topology, settings);
    streams.setUncaughtExceptionHandler(error -> {
      error.printStackTrace();
      // half a run has no result: the process ends with it
      Runtime.getRuntime().halt(1);
      return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
    });
    Watched.start();
    streams.start();
    partitionsLeft.await();
    // the last transaction is committed here
    streams.close(Duration.ofMinutes(1));
    Watched.result();
  }
}

package headrace.compare;

import java.time.Duration;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.java.typeutils.ValueTypeInfo;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.KeyedStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.windowing.assigners.EventTimeSessionWindows;

/**
 * Flink in this JVM: the topic to its end, sessions by Flink's session window (`window`) or by a process function of our own
 * (`tuned`), state on the heap (`hashmap`) or in RocksDB (`rocksdb`), a checkpoint each ten seconds.
 *
 * Arguments: brokers, topic, group, window or tuned, hashmap or rocksdb, parallelism, folder of the checkpoints.
 */
public final class FlinkRival {
  private static final Duration CHECKPOINTS = Duration.ofSeconds(10);
  private static final Duration DISORDER = Duration.ofSeconds(10);

  private FlinkRival() {}

  public static void main(String[] args) throws Exception {
    String brokers = args[0];
    String topic = args[1];
    String group = args[2];
    boolean isTuned = args[3].equals("tuned");
    Configuration settings = new Configuration();
    settings.setString("state.backend.type", args[4]);
    settings.setString("execution.checkpointing.dir", "file://" + args[6]);
    settings.setString("execution.checkpointing.incremental", "true");
    settings.setString("pipeline.object-reuse", "true");
    // RocksDB's; the heap's state has the JVM's
    settings.setString("taskmanager.memory.managed.size", "512m");
    StreamExecutionEnvironment job = StreamExecutionEnvironment.getExecutionEnvironment(settings);
    job.setParallelism(Integer.parseInt(args[5]));
    job.enableCheckpointing(CHECKPOINTS.toMillis());

    KafkaSource<FlinkEvent> source = KafkaSource.<FlinkEvent>builder()
        .setBootstrapServers(brokers)
        .setTopics(topic)
        .setGroupId(group)
        .setStartingOffsets(OffsetsInitializer.earliest())
        .setBounded(OffsetsInitializer.latest())
        .setDeserializer(new ClickEventSchema(new ValueTypeInfo<>(FlinkEvent.class)))
        .build();
    WatermarkStrategy<FlinkEvent> time = WatermarkStrategy
        .<FlinkEvent>forBoundedOutOfOrderness(DISORDER)
        .withTimestampAssigner((event, recordMs) -> event.timeMs);
    KeyedStream<FlinkEvent, String> events = job
        .fromSource(source, time, "events")
        .keyBy(event -> event.user);
    DataStream<SessionState> sessions = isTuned
        ? events.process(new TunedSessions())
        : events
            .window(EventTimeSessionWindows.withGap(Duration.ofMillis(SessionState.GAP_MS)))
            .aggregate(new SessionAggregate());
    sessions.sinkTo(new SumsSink());
    Watched.start();
    job.execute("compare");
    Watched.result();
    // Flink leaves threads behind that are no daemons
    System.exit(0);
  }
}

package headrace.compare;

import java.io.IOException;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** From a record to an event. One object serves all events of a reader: what follows writes it into the network at once. */
final class ClickEventSchema implements KafkaRecordDeserializationSchema<FlinkEvent> {
  private static final long serialVersionUID = 1;

  private final TypeInformation<FlinkEvent> type;
  private transient EventReader reader;
  private transient FlinkEvent event;

  ClickEventSchema(TypeInformation<FlinkEvent> type) {
    this.type = type;
  }

  @Override
  public void deserialize(ConsumerRecord<byte[], byte[]> record, Collector<FlinkEvent> out) throws IOException {
    if (reader == null) {
      reader = new EventReader();
      event = new FlinkEvent();
    }
    reader.read(record.value(), event);
    Watched.READ.increment();
    out.collect(event);
  }

  @Override
  public TypeInformation<FlinkEvent> getProducedType() {
    return type;
  }
}

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.StringSerializer;

/** Sends a record a key with Java's producer and prints where each landed. Arguments: brokers, topic, file of keys in base 64. */
class JavaProducer {
  public static void main(String[] args) throws Exception {
    Properties config = new Properties();
    config.put("bootstrap.servers", args[0]);
    config.put("key.serializer", StringSerializer.class.getName());
    config.put("value.serializer", StringSerializer.class.getName());
    StringBuilder partitions = new StringBuilder();
    try (KafkaProducer<String, String> producer = new KafkaProducer<>(config)) {
      List<Future<RecordMetadata>> sent = new ArrayList<>();
      for (String line : Files.readAllLines(Path.of(args[2]))) {
        String key = new String(Base64.getDecoder().decode(line), StandardCharsets.UTF_8);
        sent.add(producer.send(new ProducerRecord<>(args[1], key, "{}")));
      }
      for (Future<RecordMetadata> each : sent) partitions.append(each.get().partition()).append('\n');
    }
    System.out.print("PARTITIONS\n" + partitions);
  }
}

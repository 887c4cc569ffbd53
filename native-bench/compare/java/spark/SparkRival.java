package headrace.compare;

import static org.apache.spark.sql.functions.array;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.collect_set;
import static org.apache.spark.sql.functions.concat_ws;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.crc32;
import static org.apache.spark.sql.functions.from_json;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.min;
import static org.apache.spark.sql.functions.min_by;
import static org.apache.spark.sql.functions.session_window;
import static org.apache.spark.sql.functions.size;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.unix_millis;
import static org.apache.spark.sql.functions.when;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;

/**
 * Spark in this JVM: the whole topic as one batch, from_json, session_window. A batch, since a stream's session windows come out
 * when the watermark has passed them, and the last ones of a topic never do.
 *
 * Arguments: brokers, topic, threads, folder for what does not fit into memory.
 */
public final class SparkRival {
  private static final String[] TYPES = EventReader.TYPES;

  private SparkRival() {}

  public static void main(String[] args) {
    SparkSession spark = SparkSession.builder()
        .appName("compare")
        .master("local[" + args[2] + "]")
        .config("spark.ui.enabled", false)
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.local.dir", args[3])
        .config("spark.sql.warehouse.dir", args[3] + "/warehouse")
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate();
    spark.sparkContext().setLogLevel("ERROR");
    spark.sparkContext().addSparkListener(new Alive());
    Dataset<Row> sums = sumsOf(sessionsOf(eventsOf(spark, args[0], args[1])));
    System.out.println("RESULT " + sums.toJSON().first());
    System.out.flush();
    spark.stop();
  }

  /** Shows that it goes on, to whoever waits for the result; how much is done it can't say. */
  private static final class Alive extends SparkListener {
    @Override
    public void onTaskEnd(SparkListenerTaskEnd task) {
      System.out.println("TASK " + task.taskInfo().index() + " of stage " + task.stageId());
      System.out.flush();
    }
  }

  private static Dataset<Row> eventsOf(SparkSession spark, String brokers, String topic) {
    StructType event = StructType.fromDDL(
        "timestamp TIMESTAMP, user_id STRING, event_type STRING, page_url STRING,"
            + " geo STRUCT<country: STRING>, device STRUCT<type: STRING>");
    return spark.read()
        .format("kafka")
        .option("kafka.bootstrap.servers", brokers)
        .option("subscribe", topic)
        .option("startingOffsets", "earliest")
        .option("endingOffsets", "latest")
        .load()
        .select(from_json(col("value").cast("string"), event).as("event"))
        .select("event.*");
  }

  private static Dataset<Row> sessionsOf(Dataset<Row> events) {
    List<Column> columns = new ArrayList<>();
    columns.add(max(col("timestamp")).as("end"));
    columns.add(min(col("timestamp")).as("start"));
    columns.add(size(collect_set(col("page_url"))).as("pages"));
    columns.add(min_by(col("geo.country"), col("timestamp")).as("country"));
    columns.add(min_by(col("device.type"), col("timestamp")).as("device"));
    for (String type : TYPES) {
      columns.add(sum(when(col("event_type").equalTo(type), 1L).otherwise(0L)).as(type));
    }
    return events
        .groupBy(session_window(col("timestamp"), "30 minutes"), col("user_id"))
        .agg(count(lit(1)).as("events"), columns.toArray(Column[]::new));
  }

  private static Dataset<Row> sumsOf(Dataset<Row> sessions) {
    Column firsts = concat_ws("|", coalesce(col("country"), lit("")), coalesce(col("device"), lit("")));
    Column[] byType = new Column[TYPES.length];
    Column[] squaresByType = new Column[TYPES.length];
    for (int type = 0; type < TYPES.length; type++) {
      byType[type] = sum(col(TYPES[type]));
      squaresByType[type] = sum(col(TYPES[type]).multiply(col(TYPES[type])));
    }
    return sessions.agg(
        count(lit(1)).as("sessions"),
        sum(col("events")).as("events"),
        sum(unix_millis(col("end")).minus(unix_millis(col("start")))).as("durationMs"),
        sum(col("pages")).as("pages"),
        sum(crc32(firsts.cast("binary"))).as("firsts"),
        array(byType).as("byType"),
        array(squaresByType).as("squaresByType"));
  }
}

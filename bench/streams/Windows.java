import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.Suppressed.BufferConfig;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.Stores;

/**
 * The windows of the bench with Kafka Streams. One process serves all rounds, so that what is measured is compiled code.
 *
 * <p>Arguments: brokers, state directory, size and grace in milliseconds, threads. Each line of the input is an order:
 * {@code start <application id> <once|defaults> <copartitioned|rekeyed>}, answered by {@code first <cpu>} at the first
 * record, {@code cpu}, answered by {@code cpu <cpu>}, and {@code stop}, answered by {@code stopped <cpu>} at once and {@code closed} when nothing runs any more. CPU
 * times are the process's, in nanoseconds.
 */
public final class Windows {
    private static final List<String> SOURCES = List.of("bench.brake", "bench.lidar");
    private static final String RESULTS = "bench.gathered";

    /** A record's value. */
    public static final class Trigger {
        public String id;
        public String car;
        public long value;
        public long taken_at;
    }

    /** What is gathered. */
    static final class Sums {
        long count;
        long sum;

        Sums add(Trigger trigger) {
            count++;
            sum += trigger.value;
            return this;
        }
    }

    /** A result. */
    public static final class Gathered {
        public final String id;
        public final long start;
        public final long count;
        public final long sum;

        Gathered(String id, long start, Sums sums) {
            this.id = id;
            this.start = start;
            this.count = sums.count;
            this.sum = sums.sum;
        }
    }

    private static Serde<Trigger> triggers() {
        ObjectReader reader = new ObjectMapper().readerFor(Trigger.class);
        ObjectWriter writer = new ObjectMapper().writerFor(Trigger.class);
        Serializer<Trigger> write = (topic, trigger) -> bytes(writer, trigger);
        Deserializer<Trigger> read = (topic, bytes) -> {
            try {
                return reader.readValue(bytes);
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        };
        return Serdes.serdeFrom(write, read);
    }

    /** The cheapest that there is: what Streams does with it is what is measured. */
    private static Serde<Sums> sums() {
        Serializer<Sums> write = (topic, sums) -> sums == null
                ? null
                : ByteBuffer.allocate(16).putLong(sums.count).putLong(sums.sum).array();
        Deserializer<Sums> read = (topic, bytes) -> {
            if (bytes == null) {
                return null;
            }
            ByteBuffer buffer = ByteBuffer.wrap(bytes);
            Sums sums = new Sums();
            sums.count = buffer.getLong();
            sums.sum = buffer.getLong();
            return sums;
        };
        return Serdes.serdeFrom(write, read);
    }

    private static Serde<Gathered> gathered() {
        ObjectWriter writer = new ObjectMapper().writerFor(Gathered.class);
        Serializer<Gathered> write = (topic, result) -> bytes(writer, result);
        Deserializer<Gathered> read = (topic, bytes) -> {
            throw new UnsupportedOperationException();
        };
        return Serdes.serdeFrom(write, read);
    }

    private static byte[] bytes(ObjectWriter writer, Object value) {
        try {
            return writer.writeValueAsBytes(value);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private static long cpu() {
        var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        return system.getProcessCpuTime();
    }

    private static synchronized void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    private static Topology topology(boolean rekeyed, boolean defaults, Duration size, Duration grace) {
        AtomicBoolean seen = new AtomicBoolean();
        StreamsBuilder builder = new StreamsBuilder();
        KStream<String, Trigger> stream = builder.stream(SOURCES, Consumed.with(Serdes.String(), triggers()));
        stream = stream.peek((key, trigger) -> {
            if (!seen.get() && seen.compareAndSet(false, true)) {
                say("first " + cpu());
            }
        });
        Grouped<String, Trigger> grouped = Grouped.with(Serdes.String(), triggers());
        KGroupedStream<String, Trigger> keyed = rekeyed
                ? stream.groupBy((key, trigger) -> trigger.id, grouped)
                : stream.groupByKey(grouped);
        Materialized<String, Sums, org.apache.kafka.streams.state.WindowStore<org.apache.kafka.common.utils.Bytes, byte[]>>
                store = defaults
                        ? Materialized.as("sums")
                        : Materialized.as(Stores.inMemoryWindowStore("sums", size.plus(grace), size, false));
        keyed.windowedBy(TimeWindows.ofSizeAndGrace(size, grace))
                .aggregate(Sums::new, (key, trigger, sums) -> sums.add(trigger),
                        store.withKeySerde(Serdes.String()).withValueSerde(sums()))
                .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded()))
                .toStream()
                .map((key, sums) -> org.apache.kafka.streams.KeyValue.pair(
                        key.key(), new Gathered(key.key(), key.window().start(), sums)))
                .to(RESULTS, Produced.with(Serdes.String(), gathered()));
        return builder.build();
    }

    private static KafkaStreams start(String[] order, String[] args) {
        boolean defaults = order[2].equals("defaults");
        Properties properties = new Properties();
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, order[1]);
        properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, args[0]);
        properties.put(StreamsConfig.STATE_DIR_CONFIG, args[1]);
        if (!defaults) {
            properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
            properties.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, args[4]);
        }
        Duration size = Duration.ofMillis(Long.parseLong(args[2]));
        Duration grace = Duration.ofMillis(Long.parseLong(args[3]));
        Topology topology = topology(order[3].equals("rekeyed"), defaults, size, grace);
        KafkaStreams streams = new KafkaStreams(topology, properties);
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            say("failed " + error);
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        streams.start();
        return streams;
    }

    public static void main(String[] args) throws IOException {
        BufferedReader orders = new BufferedReader(new InputStreamReader(System.in));
        KafkaStreams streams = null;
        for (String line = orders.readLine(); line != null; line = orders.readLine()) {
            String[] order = line.split(" ");
            if (order[0].equals("start")) {
                streams = start(order, args);
            } else if (order[0].equals("cpu")) {
                say("cpu " + cpu());
            } else {
                say("stopped " + cpu());
                streams.close();
                streams.cleanUp();
                System.gc();
                say("closed");
            }
        }
        if (streams != null) {
            streams.close();
        }
    }
}

// The JDBC driver plays the scenarios. The environment's URL_OPTIONS are added to the URL: prepareThreshold,
// preferQueryMode and the like.

import java.io.StringReader;
import java.io.StringWriter;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Timer;
import java.util.TimerTask;
import org.postgresql.PGConnection;
import org.postgresql.util.PSQLException;

public class Main {
    static final String DENIED = "truncate orders";
    static final String UPDATE = "update orders set status = 'paid' where id = 3 returning status";
    static final String DELETE = "delete from orders where id = 4";
    static final String INSERT = "insert into orders values (900, 1, 1, 'half')";
    static final String COUNT_HALF = "select count(*) from orders where id = 900";
    static final String BIG = "select n, repeat('x', 50) from generate_series(1, 20000) n";
    static final String COPIED = "1\tone\n2\t\\N\n3\ttab\\there \\\\ and ‹ø›\n";
    static Connection connection;

    interface Work {
        void run() throws Exception;
    }

    static Map<String, Object> errorOf(Work work) throws Exception {
        Map<String, Object> said = new LinkedHashMap<>();
        try {
            work.run();
            said.put("sqlstate", null);
        } catch (PSQLException error) {
            said.put("sqlstate", error.getSQLState());
            if (error.getServerErrorMessage() != null) {
                said.put("detail", error.getServerErrorMessage().getDetail());
            }
        }
        return said;
    }

    static String one(String sql, Object... values) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int index = 0; index < values.length; index++) {
                statement.setObject(index + 1, values[index]);
            }
            try (ResultSet rows = statement.executeQuery()) {
                rows.next();
                StringBuilder line = new StringBuilder();
                for (int column = 1; column <= rows.getMetaData().getColumnCount(); column++) {
                    String cell = rows.getString(column);
                    line.append(column > 1 ? "|" : "").append(cell == null ? "" : cell);
                }
                return line.toString();
            }
        }
    }

    static void execute(String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    static Map<String, Object> value(Object value) {
        Map<String, Object> said = new LinkedHashMap<>();
        said.put("value", value);
        return said;
    }

    static Map<String, Object> cancel() throws Exception {
        try (Statement statement = connection.createStatement()) {
            Timer timer = new Timer(true);
            timer.schedule(new TimerTask() {
                @Override public void run() {
                    try {
                        statement.cancel();
                    } catch (SQLException error) {
                        error.printStackTrace();
                    }
                }
            }, 700);
            Map<String, Object> said = errorOf(() -> statement.execute("select pg_sleep(20)"));
            timer.cancel();
            return said;
        }
    }

    static Map<String, Object> transaction() throws Exception {
        connection.setAutoCommit(false);
        execute(INSERT);
        Map<String, Object> said = errorOf(() -> execute(DENIED));
        said.put("after", errorOf(() -> execute("select 1")).get("sqlstate"));
        connection.rollback();
        connection.setAutoCommit(true);
        said.put("value", one(COUNT_HALF));
        return said;
    }

    static String big() throws Exception {
        long count = 0;
        long total = 0;
        connection.setAutoCommit(false);
        try (PreparedStatement statement = connection.prepareStatement(BIG)) {
            statement.setFetchSize(500);
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    count += 1;
                    total += rows.getLong(1);
                }
            }
        }
        connection.commit();
        connection.setAutoCommit(true);
        return count + "|" + total;
    }

    static String copy() throws Exception {
        var manager = ((PGConnection) connection).getCopyAPI();
        manager.copyIn("copy copied from stdin", new StringReader(COPIED));
        StringWriter out = new StringWriter();
        manager.copyOut("copy (select * from copied order by a) to stdout", out);
        return out.toString().equals(COPIED) ? "copied" : out.toString();
    }

    static String batch() throws Exception {
        try (PreparedStatement statement =
                connection.prepareStatement("insert into copied values (?, ?)")) {
            for (int number = 0; number < 300; number++) {
                statement.setInt(1, 1000 + number);
                statement.setString(2, "batch " + number);
                statement.addBatch();
            }
            long done = 0;
            for (int changed : statement.executeBatch()) {
                done += changed == Statement.SUCCESS_NO_INFO ? 1 : changed;
            }
            // One of a batch that is refused fails the batch.
            Map<String, Object> refused = errorOf(() -> {
                try (Statement mixed = connection.createStatement()) {
                    mixed.addBatch("insert into copied values (5000, 'a')");
                    mixed.addBatch(DENIED);
                    mixed.addBatch("insert into copied values (5001, 'b')");
                    try {
                        mixed.executeBatch();
                    } catch (java.sql.BatchUpdateException error) {
                        throw (PSQLException) error.getCause();
                    }
                }
            });
            String kept = one("select count(*), max(b) from copied where a >= 1000 and a < 5000");
            return done + "|" + kept + "|" + refused.get("sqlstate");
        }
    }

    static List<Object> types() throws Exception {
        List<Object> lines = new ArrayList<>();
        // Past the threshold of the driver, results come in binary.
        for (int round = 0; round < 8; round++) {
            try (PreparedStatement statement = connection.prepareStatement("select * from typed order by n");
                    ResultSet rows = statement.executeQuery()) {
                int columns = rows.getMetaData().getColumnCount();
                while (rows.next()) {
                    List<Object> line = new ArrayList<>();
                    for (int column = 1; column <= columns; column++) {
                        String cell;
                        try {
                            String type = rows.getMetaData().getColumnTypeName(column);
                            byte[] bytes = type.equals("bytea") ? rows.getBytes(column) : null;
                            String value = bytes == null ? rows.getString(column) : Arrays.toString(bytes);
                            cell = type + ":" + value;
                        } catch (SQLException | IllegalArgumentException error) {
                            // Not every value of every type is one that this driver reads.
                            cell = "error: " + error.getMessage();
                        }
                        line.add(cell);
                    }
                    if (round == 0 || round == 7) {
                        lines.add(line);
                    }
                }
            }
        }
        return lines;
    }

    static Map<String, Object> play(String name) throws Exception {
        Map<String, Object> said;
        switch (name) {
            case "allow":
                return value(one("select count(*) from orders"));
            case "deny":
                said = errorOf(() -> execute(DENIED));
                break;
            case "approve":
                return value(one(UPDATE));
            case "expire":
                said = errorOf(() -> execute(DELETE));
                break;
            case "mask":
                return value(one("select name, email, pin from users where id = ?", 2));
            case "error":
                said = errorOf(() -> execute("select 1 / 0"));
                break;
            case "cancel":
                said = cancel();
                break;
            case "transaction":
                return transaction();
            case "big":
                return value(big());
            case "copy":
                return value(copy());
            case "batch":
                return value(batch());
            case "params": {
                long total = 0;
                try (PreparedStatement sum = connection.prepareStatement("select ?::int + ?::int")) {
                    for (int number = 0; number < 10; number++) {
                        sum.setInt(1, number);
                        sum.setInt(2, 1);
                        try (ResultSet rows = sum.executeQuery()) {
                            rows.next();
                            total += rows.getLong(1);
                        }
                    }
                }
                return value(Long.toString(total));
            }
            case "types":
                said = new LinkedHashMap<>();
                said.put("values", types());
                return said;
            default:
                throw new IllegalArgumentException(name);
        }
        said.put("usable", one("select 1"));
        return said;
    }

    static void json(StringBuilder out, Object value) {
        if (value == null) {
            out.append("null");
        } else if (value instanceof Map<?, ?> map) {
            out.append('{');
            boolean first = true;
            for (var entry : map.entrySet()) {
                out.append(first ? "" : ",");
                json(out, entry.getKey());
                out.append(':');
                json(out, entry.getValue());
                first = false;
            }
            out.append('}');
        } else if (value instanceof List<?> list) {
            out.append('[');
            for (int index = 0; index < list.size(); index++) {
                out.append(index > 0 ? "," : "");
                json(out, list.get(index));
            }
            out.append(']');
        } else {
            out.append('"');
            for (char c : value.toString().toCharArray()) {
                out.append(c < 0x20 || c == '"' || c == '\\' || c > 0x7e ? String.format("\\u%04x", (int) c) : c);
            }
            out.append('"');
        }
    }

    public static void main(String[] arguments) throws Exception {
        Map<String, String> env = System.getenv();
        Properties properties = new Properties();
        properties.setProperty("user", env.get("PGUSER"));
        properties.setProperty("password", env.get("PGPASSWORD"));
        String encrypted = env.get("PGSSLMODE").equals("disable")
                ? "sslmode=disable"
                : "sslmode=require&sslfactory=org.postgresql.ssl.NonValidatingFactory";
        String options = env.getOrDefault("URL_OPTIONS", "");
        connection = DriverManager.getConnection(
                "jdbc:postgresql://" + env.get("PGHOST") + ":" + env.get("PGPORT") + "/" + env.get("PGDATABASE")
                        + "?" + encrypted + (options.isEmpty() ? "" : "&" + options),
                properties);
        for (String name : env.get("SCENARIOS").split(",")) {
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("scenario", name);
            line.putAll(play(name));
            StringBuilder out = new StringBuilder();
            json(out, line);
            System.out.println(out);
            System.out.flush();
        }
        connection.close();
    }
}

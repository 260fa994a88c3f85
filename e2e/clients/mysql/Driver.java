// MariaDB Connector/J, driven from outside: a line in, a JSON object a line out; as driver.py says.
//
//     java -cp mariadb-java-client.jar Driver.java HOST PORT DATABASE CA

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.util.Properties;

public class Driver {
    static String quoted(String text) {
        if (text == null) return "null";
        StringBuilder out = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') out.append('\\').append(c);
            else if (c < 0x20 || c > 0x7e) out.append(String.format("\\u%04x", (int) c));
            else out.append(c);
        }
        return out.append('"').toString();
    }

    static void say(String rows, SQLException error) {
        String said = error == null ? "null" : "{\"code\": " + error.getErrorCode() + ", \"state\": "
            + quoted(error.getSQLState()) + ", \"message\": " + quoted(error.getMessage()) + "}";
        System.out.println("{\"rows\": " + rows + ", \"error\": " + said + "}");
        System.out.flush();
    }

    static void rows(ResultSet result, StringBuilder out) throws SQLException {
        int columns = result.getMetaData().getColumnCount();
        while (result.next()) {
            if (out.length() > 1) out.append(", ");
            out.append('[');
            for (int column = 1; column <= columns; column++) {
                if (column > 1) out.append(", ");
                out.append(quoted(result.getString(column)));
            }
            out.append(']');
        }
    }

    static String all(Statement statement, boolean has) throws SQLException {
        StringBuilder out = new StringBuilder("[");
        while (has || statement.getUpdateCount() >= 0) {
            if (has) rows(statement.getResultSet(), out);
            has = statement.getMoreResults();
        }
        return out.append(']').toString();
    }

    public static void main(String[] words) throws Exception {
        Properties settings = new Properties();
        settings.setProperty("user", System.getenv().getOrDefault("SALLYPORT_USER", "anybody"));
        settings.setProperty("password", System.getenv("SALLYPORT_PASSWORD"));
        settings.setProperty("allowMultiQueries", "true");
        settings.setProperty("useServerPrepStmts", "true");
        settings.setProperty("useBulkStmts", "true");
        if (words.length > 3 && !words[3].isEmpty()) {
            settings.setProperty("useSsl", "true");
            settings.setProperty("serverSslCert", words[3]);
        }
        String url = "jdbc:mariadb://" + words[0] + ":" + words[1] + "/" + words[2];
        try (Connection connection = DriverManager.getConnection(url, settings)) {
            say("[]", null);
            BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                String[] part = line.split("\t", -1);
                try {
                    if (part[0].equals("exec")) {
                        try (PreparedStatement statement = connection.prepareStatement(part[1])) {
                            for (int at = 2; at < part.length; at++) statement.setString(at - 1, part[at]);
                            say(all(statement, statement.execute()), null);
                        }
                    } else if (part[0].equals("batch")) {
                        // batch TAB text TAB parameters of a row TAB value…; \N is NULL
                        int width = Integer.parseInt(part[2]);
                        try (PreparedStatement statement = connection.prepareStatement(part[1])) {
                            for (int at = 3; at < part.length; at += width) {
                                for (int of = 0; of < width; of++) {
                                    String value = part[at + of];
                                    if (value.equals("\\N")) statement.setNull(of + 1, Types.VARCHAR);
                                    else statement.setString(of + 1, value);
                                }
                                statement.addBatch();
                            }
                            say("[[" + statement.executeBatch().length + "]]", null);
                        }
                    } else if (part[0].equals("cursor")) {
                        try (PreparedStatement statement = connection.prepareStatement(part[1])) {
                            statement.setFetchSize(1);
                            say(all(statement, statement.execute()), null);
                        }
                    } else {
                        try (Statement statement = connection.createStatement()) {
                            say(all(statement, statement.execute(part[1])), null);
                        }
                    }
                } catch (SQLException error) {
                    say("[]", error);
                }
            }
        } catch (SQLException error) {
            say("[]", error);
        }
    }
}

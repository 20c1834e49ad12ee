import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Properties;

/**
 * Asks the mirror by JDBC, as Metabase and DBeaver do: java -cp DRIVER.jar Ask.java URL QUERY...
 * Who asks is in PGUSER and PGPASSWORD. One line for each row, values divided by tabs.
 */
public class Ask {
    public static void main(String[] args) throws SQLException {
        Properties who = new Properties();
        who.setProperty("user", System.getenv("PGUSER"));
        who.setProperty("password", System.getenv("PGPASSWORD"));
        who.setProperty("readOnly", "true");
        try (Connection mirror = DriverManager.getConnection(args[0], who)) {
            for (int n = 1; n < args.length; n++) {
                print(mirror.createStatement().executeQuery(args[n]));
            }
        }
    }

    private static void print(ResultSet rows) throws SQLException {
        while (rows.next()) {
            System.out.println(line(rows));
        }
    }

    private static String line(ResultSet row) throws SQLException {
        int columns = row.getMetaData().getColumnCount();
        String[] shown = new String[columns];
        for (int n = 1; n <= columns; n++) {
            shown[n - 1] = shown(row, n);
        }
        return String.join("\t", shown);
    }

    /** java.time and not java.sql: a java.sql.Date is a midnight in the program's own zone. */
    private static String shown(ResultSet row, int column) throws SQLException {
        String type = row.getMetaData().getColumnTypeName(column);
        Object value = switch (type) {
            case "date" -> row.getObject(column, LocalDate.class);
            case "timestamp" -> row.getObject(column, LocalDateTime.class);
            case "timestamptz" -> row.getObject(column, OffsetDateTime.class);
            default -> row.getObject(column);
        };
        if (value instanceof OffsetDateTime instant) {
            return instant.withOffsetSameInstant(ZoneOffset.UTC).toString();
        }
        return String.valueOf(value);
    }
}

import java.io.*;
import java.nio.ByteBuffer;
import java.nio.charset.*;
import java.util.*;

/** What the adapters in Java have in common: the pipe, and octets as JSON. */
final class Peer {
    static final class Refused extends Exception {
        Refused(String why) { super(why); }
    }

    /** Of what a stack throws, checked or not. What an adapter throws, which is in no package, is a
     * bug of ours, and ends the process. */
    static Refused refusal(Exception e) {
        var where = e.getStackTrace();
        if (where.length > 0 && !where[0].getClassName().contains(".")) throw new AssertionError(e);
        // The message of an exception is the field that it met, value and all, or where an object lies.
        String why = String.valueOf(e.getMessage()).split("[:\n]", 2)[0].strip().replaceAll("@[0-9a-f]+$", "");
        return new Refused(e.getClass().getSimpleName() + " " + why);
    }

    interface Reader { Map<String, ?> read(byte[] message) throws Refused; }

    /** An object: names and values in turn, in this order. */
    static Map<String, Object> object(Object... pairs) {
        var o = new LinkedHashMap<String, Object>();
        for (int i = 0; i < pairs.length; i += 2) o.put((String) pairs[i], pairs[i + 1]);
        return o;
    }

    /** A string where they are UTF-8, else {"hex": …}. */
    static Object octets(byte[] b) {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(b)).toString();
        } catch (CharacterCodingException e) {
            return Map.of("hex", HexFormat.of().formatHex(b));
        }
    }

    /** Objects are maps, arrays lists; what is no string, number or null is printed as a string. */
    private static void json(StringBuilder to, Object o) {
        if (o instanceof Map<?, ?> map) {
            char before = '{';
            for (var e : map.entrySet()) {
                to.append(before);
                json(to, e.getKey());
                to.append(':');
                json(to, e.getValue());
                before = ',';
            }
            to.append(before == '{' ? "{}" : "}");
        } else if (o instanceof List<?> list) {
            to.append('[');
            for (int i = 0; i < list.size(); i++) {
                if (i > 0) to.append(',');
                json(to, list.get(i));
            }
            to.append(']');
        } else if (o == null || o instanceof Number) {
            to.append(o);
        } else {
            to.append('"');
            for (char c : o.toString().toCharArray())
                if (c == '"' || c == '\\') to.append('\\').append(c);
                else if (c < ' ' || Character.isSurrogate(c) || c > '~') to.append(String.format("\\u%04x", (int) c));
                else to.append(c);
            to.append('"');
        }
    }

    private static Map<String, ?> answer(Reader reader, byte[] message) {
        try {
            return object("verdict", "accept", "reading", reader.read(message));
        } catch (Refused e) {
            String why = e.getMessage();
            return object("verdict", "refuse", "reason", why.substring(0, Math.min(200, why.length())));
        }
    }

    /** Asks the reader for every message, until the input ends. */
    static void serve(String name, String version, Reader reader) throws IOException {
        PrintStream out = System.out;
        System.setOut(System.err); // what the stack prints
        var in = new DataInputStream(new BufferedInputStream(System.in));
        for (Map<String, ?> say = object("peer", name, "version", version);;) {
            var line = new StringBuilder();
            json(line, say);
            out.write(line.append('\n').toString().getBytes(StandardCharsets.UTF_8));
            out.flush();
            byte[] message;
            try {
                message = new byte[in.readInt()];
            } catch (EOFException e) {
                return;
            }
            in.readFully(message);
            say = answer(reader, message);
        }
    }
}

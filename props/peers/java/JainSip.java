import gov.nist.javax.sip.address.AddressImpl;
import gov.nist.javax.sip.address.GenericURI;
import gov.nist.javax.sip.address.SipUri;
import gov.nist.javax.sip.header.*;
import gov.nist.javax.sip.message.*;
import gov.nist.javax.sip.parser.ParseExceptionListener;
import gov.nist.javax.sip.parser.StringMsgParser;
import java.io.*;
import java.nio.*;
import java.nio.charset.*;
import java.text.ParseException;
import java.util.*;

/** JAIN-SIP as a peer: StringMsgParser.parseSIPMessage, with the listener of its message channels: a
 * field that every message needs is refused where it does not parse, any other is left out. */
public final class JainSip implements ParseExceptionListener {
    private static final Set<Class<?>> NEEDED = Set.of(From.class, To.class, CSeq.class, Via.class, CallID.class,
        ContentLength.class, RequestLine.class, StatusLine.class, MaxForwards.class);

    @Override
    public void handleException(ParseException e, SIPMessage m, Class header, String text, String message) throws ParseException {
        if (header != null && NEEDED.contains(header)) throw e;
        m.addUnparsed(text);
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

    private static Object octets(byte[] b) {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(b)).toString();
        } catch (CharacterCodingException e) {
            return Map.of("hex", HexFormat.of().formatHex(b));
        }
    }

    private static Object port(int n) { return n > 0 ? n : null; }

    private static Object uri(Object u) {
        var o = new LinkedHashMap<String, Object>();
        o.put("text", u.toString());
        if (u instanceof GenericURI g) o.put("scheme", g.getScheme());
        if (u instanceof SipUri s) {
            o.put("user", s.getUser());
            o.put("password", s.getUserPassword());
            o.put("host", s.getHost());
            o.put("port", port(s.getPort()));
        }
        return o;
    }

    private static Object address(AddressImpl a, String tag) {
        if (a.isWildcard()) return "*";
        var o = new LinkedHashMap<String, Object>();
        o.put("display", a.getDisplayName());
        o.put("uri", uri(a.getURI()));
        o.put("tag", tag);
        return o;
    }

    private static List<Object> list(List<? extends AddressParametersHeader> headers) {
        var out = new ArrayList<Object>();
        if (headers != null) for (var h : headers) out.add(address((AddressImpl) h.getAddress(), null));
        return out;
    }

    private static Map<String, Object> reading(SIPMessage m) {
        var o = new LinkedHashMap<String, Object>();
        if (m instanceof SIPRequest r) {
            var request = new LinkedHashMap<String, Object>();
            request.put("method", r.getMethod());
            request.put("uri", uri(r.getRequestURI()));
            o.put("request", request);
        } else {
            o.put("response", Map.of("status", ((SIPResponse) m).getStatusCode()));
        }
        var fields = new ArrayList<Object>();
        for (var i = m.getHeaders(); i.hasNext();) fields.add(Map.of("name", i.next().getName()));
        o.put("fields", fields);
        var vias = new ArrayList<Object>();
        if (m.getViaHeaders() != null)
            for (Via v : m.getViaHeaders()) {
                var via = new LinkedHashMap<String, Object>();
                via.put("transport", v.getTransport());
                via.put("host", v.getHost());
                via.put("port", port(v.getPort()));
                via.put("branch", v.getBranch());
                vias.add(via);
            }
        o.put("via", vias);
        var from = (From) m.getFrom();
        var to = (To) m.getTo();
        o.put("from", from == null ? null : address((AddressImpl) from.getAddress(), from.getTag()));
        o.put("to", to == null ? null : address((AddressImpl) to.getAddress(), to.getTag()));
        o.put("contact", list(m.getContactHeaders()));
        o.put("route", list(m.getRouteHeaders()));
        o.put("record-route", list(m.getRecordRouteHeaders()));
        o.put("call-id", m.getCallId() == null ? null : m.getCallId().getCallId());
        o.put("cseq", m.getCSeq() == null ? null : Map.of("number", m.getCSeq().getSeqNumber(), "method", m.getCSeq().getMethod()));
        o.put("content-length", m.getContentLength() == null ? null : m.getContentLength().getContentLength());
        o.put("body", octets(m.getRawContent() == null ? new byte[0] : m.getRawContent()));
        return o;
    }

    private static Map<String, Object> answer(byte[] message) {
        try {
            SIPMessage m = new StringMsgParser().parseSIPMessage(message, true, false, new JainSip());
            if (m == null) return Map.of("verdict", "refuse", "reason", "nothing was made of it");
            return Map.of("verdict", "accept", "reading", reading(m));
        } catch (ParseException | RuntimeException e) {
            // What the stack throws, checked or not; what is thrown in this file is a bug of ours.
            if (!(e instanceof ParseException) && e.getStackTrace().length > 0 && e.getStackTrace()[0].getClassName().equals("JainSip"))
                throw new AssertionError(e);
            // The message of an exception is the field that it met, value and all.
            String why = e.getClass().getSimpleName() + " " + String.valueOf(e.getMessage()).split("[:\n]", 2)[0].strip();
            return Map.of("verdict", "refuse", "reason", why.substring(0, Math.min(200, why.length())));
        }
    }

    public static void main(String[] args) throws IOException {
        PrintStream out = System.out;
        System.setOut(System.err); // what the stack prints
        var in = new DataInputStream(new BufferedInputStream(System.in));
        var version = JainSip.class.getClassLoader().getResource("gov/nist/javax/sip/SipStackImpl.class").getPath()
            .replaceAll(".*jain-sip-ri-(.*)\\.jar!.*", "$1");
        for (Map<String, ?> say = Map.of("peer", "JAIN-SIP", "version", version);;) {
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
            say = answer(message);
        }
    }
}

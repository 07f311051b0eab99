import gov.nist.javax.sip.address.AddressImpl;
import gov.nist.javax.sip.address.GenericURI;
import gov.nist.javax.sip.address.SipUri;
import gov.nist.javax.sip.header.*;
import gov.nist.javax.sip.message.*;
import gov.nist.javax.sip.parser.ParseExceptionListener;
import gov.nist.javax.sip.parser.StringMsgParser;
import java.io.IOException;
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

    private static Object port(int n) { return n > 0 ? n : null; }

    private static Object uri(Object u) {
        var o = Peer.object("text", u.toString());
        if (u instanceof GenericURI g) o.put("scheme", g.getScheme());
        if (u instanceof SipUri s)
            o.putAll(Peer.object("user", s.getUser(), "password", s.getUserPassword(), "host", s.getHost(), "port", port(s.getPort())));
        return o;
    }

    private static Object address(AddressParametersHeader h, String tag) {
        if (h == null) return null;
        var a = (AddressImpl) h.getAddress();
        return a.isWildcard() ? "*" : Peer.object("display", a.getDisplayName(), "uri", uri(a.getURI()), "tag", tag);
    }

    private static List<Object> list(List<? extends AddressParametersHeader> headers) {
        var out = new ArrayList<Object>();
        if (headers != null) for (var h : headers) out.add(address(h, null));
        return out;
    }

    private static Map<String, Object> reading(SIPMessage m) {
        var o = m instanceof SIPRequest r
            ? Peer.object("request", Peer.object("method", r.getMethod(), "uri", uri(r.getRequestURI())))
            : Peer.object("response", Peer.object("status", ((SIPResponse) m).getStatusCode()));
        var fields = new ArrayList<Object>();
        for (var i = m.getHeaders(); i.hasNext();) fields.add(Map.of("name", i.next().getName()));
        o.put("fields", fields);
        var vias = new ArrayList<Object>();
        if (m.getViaHeaders() != null)
            for (Via v : m.getViaHeaders())
                vias.add(Peer.object("transport", v.getTransport(), "host", v.getHost(), "port", port(v.getPort()), "branch", v.getBranch()));
        o.put("via", vias);
        var from = (From) m.getFrom();
        var to = (To) m.getTo();
        o.put("from", address(from, from == null ? null : from.getTag()));
        o.put("to", address(to, to == null ? null : to.getTag()));
        o.put("contact", list(m.getContactHeaders()));
        o.put("route", list(m.getRouteHeaders()));
        o.put("record-route", list(m.getRecordRouteHeaders()));
        o.put("call-id", m.getCallId() == null ? null : m.getCallId().getCallId());
        o.put("cseq", m.getCSeq() == null ? null : Peer.object("number", m.getCSeq().getSeqNumber(), "method", m.getCSeq().getMethod()));
        o.put("content-length", m.getContentLength() == null ? null : m.getContentLength().getContentLength());
        o.put("body", Peer.octets(m.getRawContent() == null ? new byte[0] : m.getRawContent()));
        return o;
    }

    private static Map<String, Object> read(byte[] message) throws Peer.Refused {
        try {
            SIPMessage m = new StringMsgParser().parseSIPMessage(message, true, false, new JainSip());
            if (m == null) throw new Peer.Refused("nothing was made of it");
            return reading(m);
        } catch (ParseException | RuntimeException e) {
            throw Peer.refusal(e);
        }
    }

    public static void main(String[] args) throws IOException {
        var version = JainSip.class.getClassLoader().getResource("gov/nist/javax/sip/SipStackImpl.class").getPath()
            .replaceAll(".*jain-sip-ri-(.*)\\.jar!.*", "$1");
        Peer.serve("JAIN-SIP", version, JainSip::read);
    }
}

// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"fmt"
	"html"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
)

func TestURL(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		assert.Equal(t, want, URL(in))
	}
	f("", "")
	f("rtmp://live.example.test/app/key", "rtmp://live.example.test/REDACTED")
	f("rtmps://live.example.test:443/app?key=1", "rtmps://live.example.test:443/REDACTED")
	f("rtmp://user:key@live.example.test/app", "rtmp://live.example.test/REDACTED")
	f("key", "REDACTED")
	f("://x", "REDACTED")
	f("rtmp://%zz/key", "REDACTED")
}

func TestSecret(t *testing.T) {
	for _, name := range []string{
		"passcode", "guestPasscode", "c:passcode", "PASSWORD", "user[password]", "clientSecret", "accessToken", "streamUrl",
		"stream-StreamKey", "apiKey", "pin", "PIN", "pwd", "Passphrase",
		"pass_code", "pass-code", "pass.code", "PASS__CODE", "api.key", "api_key", "api-key", "stream_url", "guest.pass-word", "o_auth_to_ken",
		"guestPin", "guest_pin", "PIN_code", "pinCode", "PINCode", "PINcode", "pin2", "1pin", "guestPIN", "IDPin", "guest.pin.old", "userPwd", "pwd-old", "aPin",
	} {
		assert.True(t, IsSecretName(name), name)
	}
	for _, name := range []string{
		"", "name", "pass", "code", "ping", "spin", "stream", "key", "remoteTeardown", "ſecret",
		"spinning", "mapping", "Spin", "hoPins", "pinned", "isPinned", "Pinning", "PINNED", "MAPPIN", "shipping", "p_i_n", "pi", "pass_key", "api.keeper", "key.api",
	} {
		assert.False(t, IsSecretName(name), name)
	}
}

func TestURLsInText(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		assert.Equal(t, want, Text(in))
	}
	f("", "")
	f("recorder@rec2.example.test", "recorder@rec2.example.test")
	f("https://rec1.example.test:8443", "https://rec1.example.test:8443")
	f("https://user:pass@rec1.example.test:8443/a@b", "https://REDACTED@rec1.example.test:8443/a@b")
	f("https://rec1.example.test/a@b", "https://rec1.example.test/a@b")
	f("https://user:p@ss@rec1.example.test/", "https://REDACTED@rec1.example.test/")
	f("a://b@c://d:secret@e", "a://REDACTED@c://REDACTED@e")
	f("rtmps://h/key, https://u:secret@h?x", "rtmps://h/REDACTED https://REDACTED@h?x")
	f("RTMPS://h/app/key rtmp rtmp:", "RTMPS://h/REDACTED rtmp rtmp:")
	f("rtmp://user:key@h/app", "rtmp://REDACTED@h/REDACTED")
	f("rtmp://h", "rtmp://h")
	f("https://h/c/1?token=abc123&x=1", "https://h/c/1?token=REDACTED&x=1")
	f("https://h/c/1?x=1&access_token=abc.123-_~", "https://h/c/1?x=1&access_token=REDACTED")
	f("https://user:pa", "https://REDACTED")
	f("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443")
	f("https%3A%2F%2Fuser%3Apass%40h%2Fa", "https%3A%2F%2FREDACTED%40h%2Fa")
}

// Text replaces the password of a SIP URI and keeps the user.
func TestSIP(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		assert.Equal(t, want, Text(in))
	}
	f("sip:alice:pw@example.test", "sip:alice:REDACTED@example.test")
	f("SIPS:alice:p:w@example.test;transport=tls", "SIPS:alice:REDACTED@example.test;transport=tls")
	f("sip:alice:p@w@example.test:5061;x=a@b", "sip:alice:REDACTED@example.test:5061;x=a@b")
	f(`"Alice" <sip:alice:pw@example.test>;tag=1`, `"Alice" <sip:alice:REDACTED@example.test>;tag=1`)
	f("sip:alice@example.test:5060", "sip:alice@example.test:5060")
	f("sip:alice@example.test;x=b:c@d", "sip:alice@example.test;x=b:c@d")
	f("sip:[2001:db8::1]:5060", "sip:[2001:db8::1]:5060")
	f("sip:alice:@example.test", "sip:alice:@example.test")
	f("gossip:a:b@c", "gossip:a:b@c")
	f("sip%3Aalice%3Apw%40example.test", "sip%3Aalice%3AREDACTED%40example.test")
	f("sip:a:b@h, sip:c:d@h", "sip:a:REDACTED@h, sip:c:REDACTED@h")
	f("tel:+15551234:pw@example.test", "tel:+15551234:REDACTED@example.test")
	f("tel:+15551234@example.test", "tel:+15551234@example.test")
	f("tel:+1-201-555-0123;phone-context=example.test", "tel:+1-201-555-0123;phone-context=example.test")
	f("sip%3A+15551234:pw%40example.test", "sip%3A+15551234:REDACTED%40example.test")
	f("%3Chttps:%2F%2Fa+b:pw@example.test%3E", "%3Chttps:%2F%2FREDACTED@example.test%3E")
	f("sip:alice:p", "sip:alice:REDACTED")
	f("sip:example.test:5060", "sip:example.test:5060")
	f("sip://alice:pw@example.test", "sip://REDACTED@example.test")
}

// An address may lack its scheme. Text without a user and a password stays.
func TestAddress(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		assert.Equal(t, want, Address(in))
		assert.Equal(t, want, Address(want))
		element := func(text string) string { return "<c:remoteParty a=\"b\">" + text + "</c:remoteParty>" }
		if !strings.ContainsAny(in, "<>") {
			assert.Equal(t, element(want), Text(element(in)), "in an element")
			assert.Equal(t, element("<![CDATA["+want+"]]>"), Text(element("<![CDATA["+in+"]]>")))
		}
	}
	f("", "")
	f("alice:pw@example.test", "alice:REDACTED@example.test")
	f("alice.smith+x:p:w@example.test:5060;user=phone", "alice.smith+x:REDACTED@example.test:5060;user=phone")
	f("+15551234:p@w@example.test;x=a:b@c", "+15551234:REDACTED@example.test;x=a:b@c")
	f("alice%3Apw%40example.test", "alice%3AREDACTED%40example.test")
	f("sip:alice:pw@example.test", "sip:alice:REDACTED@example.test")
	f("tel:alice:pw@example.test", "tel:alice:REDACTED@example.test")
	f("https://alice:pw@example.test", "https://REDACTED@example.test")
	for _, same := range []string{
		"alice@example.test", "alice@example.test:5060", "alice@example.test;x=a:b@c", "sip:alice@example.test", "mailto:alice@example.test",
		"192.0.2.1:5060", "2001:db8::1", "[2001:db8::1]:5060", "alice", ":@", "alice:@example.test", "Room: alice@example.test", "h323:alice@example.test",
	} {
		f(same, same)
	}
	assert.Equal(t, "token=REDACTED", Address("token=x:pw@example.test"))
	assert.Equal(t, "<remoteParty>alice:REDACTED", Text("<remoteParty>alice:pw"), "the end may be cut off")
	assert.Equal(t, "<sipCallId>1:2@192.0.2.1</sipCallId>", Text("<sipCallId>1:2@192.0.2.1</sipCallId>"), "it joins records")
	assert.Equal(t, "Team:alice@example.test", Text("Team:alice@example.test"))
	assert.True(t, IsAddress("RemoteParty"))
	assert.False(t, IsAddress("party"))
}

func TestXML(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		assert.Equal(t, want, Text(in))
	}
	f("not XML at all", "not XML at all")
	f("<a><streamUrl>rtmp://h/app/key</streamUrl>\n</a>", "<a><streamUrl>REDACTED</streamUrl>\n</a>")
	f("<streamUrl>rtmp://h/app/key", "<streamUrl>REDACTED")
	f("<streamUrl/><b>x</b>", "<streamUrl/><b>x</b>")
	f("<streamUrl /><b>x</b>", "<streamUrl /><b>x</b>")
	f("<streamUrl></streamUrl>x", "<streamUrl></streamUrl>x")
	f(`<x at="rtmp://h/app/key" b="c"/>`, `<x at="rtmp://h/REDACTED" b="c"/>`)
	f("<guestPasscode kind='1234'>1234</guestPasscode>", "<guestPasscode REDACTED>REDACTED</guestPasscode>")
	f("<passcode><![CDATA[1234]]></passcode>", "<passcode>REDACTED</passcode>")
	f("<passcode><![CDATA[1234]]>", "<passcode>REDACTED")
	f("<passcode><![CDATA[</passcode>]]>1234</passcode>x", "<passcode>REDACTED</passcode>x")
	f("<passcode><!-- </passcode> -->1234</passcode>x", "<passcode>REDACTED</passcode>x")
	f("<streamKey><value>X</value></streamKey><b/>", "<streamKey>REDACTED</streamKey><b/>")
	f(`<passcode value="X"/><b/>`, "<passcode REDACTED/><b/>")
	f(`<passcode value="a>b/"/><b/>`, "<passcode REDACTED/><b/>")
	f(`<passcode value="a>b">12</passcode><b/>`, "<passcode REDACTED>REDACTED</passcode><b/>")
	f("<streamUrl><!-- x -->https://h/X</streamUrl>", "<streamUrl>REDACTED</streamUrl>")
	f("<recorderUrl>https://u:X@rec/a</recorderUrl>", "<recorderUrl>https://REDACTED@rec/a</recorderUrl>")
	f(`<login password = "p" secret='s'>t</login>`, `<login password = "REDACTED" secret='REDACTED'>t</login>`)
	f(`<login token="t`, `<login token="REDACTED`)
	f("the token is nice", "the token is nice")
	f("<reason>incorrectPasscode</reason>", "<reason>incorrectPasscode</reason>")
	// A prefix, attributes and content of any length.
	f("<c:passcode>1234</c:passcode><b/>", "<c:passcode>REDACTED</c:passcode><b/>")
	f("<c.d:Passcode>1234</c.d:PASSCODE><b/>", "<c.d:Passcode>REDACTED</c.d:PASSCODE><b/>")
	f("<passcode "+strings.Repeat(`a="b" `, 1000)+">12</passcode><b/>", "<passcode REDACTED>REDACTED</passcode><b/>")
	f("<passcode>"+strings.Repeat("<i>7</i>", 1000)+"</passcode><b/>", "<passcode>REDACTED</passcode><b/>")
	f("<secret>1<secret>2</secret>3<secret/>4</secret><b/>", "<secret>REDACTED</secret><b/>")
	f("<passcode a='1'<b>x</b>", "<passcode REDACTED<b>x</b>")
	// The text may begin or end anywhere.
	f("34</passcode><b/>", "REDACTED</passcode><b/>")
	f("<b/>\n34</c:passcode><b/>", "<b/>REDACTED</c:passcode><b/>")
	f("<passcode>12<b/>34", "<passcode>REDACTED")
	f("&lt;passcode&gt;1234&lt;/passcode&gt;", "&lt;passcode&gt;REDACTED&lt;/passcode&gt;")
	f("&amp;lt;passcode&amp;gt;1234&amp;lt;/passcode&amp;gt;", "&amp;lt;passcode&amp;gt;REDACTED&amp;lt;/passcode&amp;gt;")
	f("&#60;passcode&#x3e;1234&#x3C;/passcode>", "&#60;passcode&#x3e;REDACTED&#x3C;/passcode>")
}

func TestJSON(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		assert.Equal(t, want, Text(text))
	}
	f(`{"sessionId":"a","password":"p\"q","n":1}`, `{"sessionId":"a","password":"REDACTED","n":1}`)
	f(`{"accessToken" : 42, "x":1}`, `{"accessToken" : "REDACTED", "x":1}`)
	f(`{"secrets":{"a":["}",{"b":1}]},"x":1}`, `{"secrets":"REDACTED","x":1}`)
	f(`{"secrets":[`, `{"secrets":"REDACTED"`)
	f(`{"token":"cut`, `{"token":"REDACTED"`)
	f(`{"token":}`, `{"token":}`)
	f(`{"token":""}`, `{"token":""}`)
	f(`{"token":tr}`, `{"token":"REDACTED"}`)
	f(`odd" quote {"token":"a"}`, `odd" quote {"token":"REDACTED"}`)
	f(`{"rtspUrl":"rtsp://u:p@192.0.2.60/live/1"}`, `{"rtspUrl":"rtsp://REDACTED@192.0.2.60/live/1"}`)
	f(`the token is here`, `the token is here`)
	f(`{"reason":"incorrectPasscode","x":1}`, `{"reason":"incorrectPasscode","x":1}`)
	f(`{"token":`+"\n\t"+`"a"}`, `{"token":`+"\n\t"+`"REDACTED"}`)
	f(`{"body":"{\"token\":\"abc\",\"x\":1}"}`, `{"body":"{\"token\":\"REDACTED\",\"x\":1}"}`)
	f(`{"body":"\u003cpasscode\u003e1234\u003c\/passcode\u003e"}`, `{"body":"\u003cpasscode\u003eREDACTED\u003c\/passcode\u003e"}`)
	f(`{"pass\u0063ode":"1234"}`, `{"pass\u0063ode":"REDACTED"}`)
}

func TestForms(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		assert.Equal(t, want, Text(text))
	}
	f("name=a&passcode=12%2634+5&x=1", "name=a&passcode=REDACTED&x=1")
	f("passcode=12;3,4|5", "passcode=REDACTED")
	f("user[password]=p&x=1", "user[password]=REDACTED&x=1")
	f("user%5Bpassword%5D=p&x=1", "user%5Bpassword%5D=REDACTED&x=1")
	f("passcode=\nx=1", "passcode=\nx=1")
	f("passcode=&x=1", "passcode=&x=1")
	f("password: p;w,d\nnext", "password: REDACTED\nnext")
	f("xml=%3Cpasscode%3E1234%3C%2Fpasscode%3E&x=1", "xml=%3Cpasscode%3EREDACTED%3C%2Fpasscode%3E&x=1")
	f("xml=%253Cc%253Apasscode%253E1234%253C%252Fc%253Apasscode%253E&x=1", "xml=%253Cc%253Apasscode%253EREDACTED%253C%252Fc%253Apasscode%253E&x=1")
	f("json=%7B%22token%22%3A%22abc%22%7D", "json=%7B%22token%22%3A%22REDACTED%22%7D")
	f("--b\r\nContent-Disposition: form-data; name=\"passcode\"\r\n\r\n1234\r\n--b--", "--b\r\nContent-Disposition: form-data; name=\"passcode\"\r\n\r\nREDACTED\r\n--b--")
	f("x=%26lt%3Bpasscode%26gt%3B1234%26lt%3B%2Fpasscode%26gt%3B", "x=%26lt%3Bpasscode%26gt%3BREDACTED%26lt%3B%2Fpasscode%26gt%3B")
	f("100% of it", "100% of it")
	f("a=%zz&token=b%", "a=%zz&token=REDACTED")
}

// UTF-16 bytes around a secret stay, and the mark is in UTF-16 too.
func TestUTF16(t *testing.T) {
	for _, order := range []func(uint16) []byte{
		func(u uint16) []byte { return []byte{byte(u), byte(u >> 8)} },
		func(u uint16) []byte { return []byte{byte(u >> 8), byte(u)} },
	} {
		encode := func(text string) string {
			var out []byte
			for _, unit := range utf16.Encode([]rune(text)) {
				out = append(out, order(unit)...)
			}
			return string(out)
		}
		for _, mark := range []string{"", "\ufeff"} {
			f := func(text, want string) {
				t.Helper()
				assert.Equal(t, encode(mark+want), Text(encode(mark+text)), text)
			}
			f("<passcode>1234</passcode><b>Müller 東京</b>", "<passcode>REDACTED</passcode><b>Müller 東京</b>")
			f("<c:passcode kind='x'>пароль</c:passcode>", "<c:passcode REDACTED>REDACTED</c:passcode>")
			f(`{"token":"мама","x":"a"}`, `{"token":"REDACTED","x":"a"}`)
			f("sip:alice:pw@example.test", "sip:alice:REDACTED@example.test")
			f("passcode=1&x=%3Cpasscode%3E2%3C%2Fpasscode%3E", "passcode=REDACTED&x=%3Cpasscode%3EREDACTED%3C%2Fpasscode%3E")
		}
	}
	assert.Equal(t, "<passcode>REDACTED</passcode>", Text("<passcode>1\x002</passcode>"))
	assert.Equal(t, "<\x00\x00\x00p\x00\x00\x00assREDACTED", strings.Replace(Text("<\x00\x00\x00p\x00\x00\x00asscode>1234"), "code>", "", 1))
}

// The cost is linear on adversarial text: at this size a quadratic cost would take hours.
func TestHostileTextIsLinear(t *testing.T) {
	for _, unit := range []string{
		"token ", "token='", "token=", "token:", "token\":", "token{", "token:{", "token:[\"", "<token ", "<token>", "<token>'", "<token a='<", "</token",
		"</token>", "<token/>", "rtmp://", "rtmp", "sip:", "sip:a@", "sip:a:b@", "sip:a:b", "://", "://a@", "a://b@", "<", "<!--", "<token><!--",
		"<token><![CDATA[", "&", "&a", "&#", "&amp;", "&lt;token", "%", "%25", "%3c", "%3Ctoken%3E", `\`, `\\`, `\u`, `\u003c`, "\x00", "<\x00t\x00", "a", "a:",
		`"token"`, "token\n", "token[", "<a:b.", "<a:token ",
	} {
		for _, encode := range []func(string) string{encoders[0], encoders[len(encoders)-1]} {
			text := encode(strings.Repeat(unit, 1<<15/len(unit)))
			pieces := 0
			for range Pieces(text, 1<<10) {
				pieces++
			}
			assert.Positive(t, pieces, unit)
		}
	}
}

// encoders are the encodings of a body with a secret.
var encoders = []func(string) string{
	func(s string) string { return s },
	url.QueryEscape, url.PathEscape, html.EscapeString,
	func(s string) string { return strings.Trim(strconv.QuoteToASCII(s), `"`) },
	func(s string) string { return utf16Text(s, 0) },
	func(s string) string { return utf16Text(s, 1) },
}

func utf16Text(s string, order int) string {
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		pair := [2]byte{byte(u), byte(u >> 8)}
		out = append(out, pair[order], pair[1-order])
	}
	return string(out)
}

// forms are all known forms of a secret, with %s in its place.
var forms = []string{
	"<passcode>%s</passcode>", "<c:passcode>%s</c:passcode>", "<passcode a='1' b=\"%s\">x</passcode>", "<x password=\"%s\"/>", "<streamUrl>rtmp://h/%s</streamUrl>",
	"<u>https://user:%s@host/</u>", "<u>rtmp://host/app/%s</u>", "<p>sip:user:%s@host</p>", "{\"token\":\"%s\"}", "{\"secrets\":[{\"a\":\"%s\"}]}",
	"a=b&passcode=%s&c=d", "<passcode><![CDATA[%s]]></passcode>", "<guestPasscode><v>%s</v></guestPasscode>", "<u>https://h/?token=%s</u>",
	"<pass_code>%s</pass_code>", "<api.key>%s</api.key>", "<guestPin>%s</guestPin>", "{\"api.key\":\"%s\"}", "a=b&pass-code=%s", "<x guest.pin='%s'/>",
}

// FuzzText puts a secret in every form and encoding between other text, and requires that
// no piece and no boundary of two pieces contains it.
func FuzzText(f *testing.F) {
	f.Add("<a>", "</a>", uint8(0), uint8(0), uint16(20))
	f.Add("", "", uint8(3), uint8(1), uint16(7))
	f.Add("Müller ", "\n<record", uint8(8), uint8(5), uint16(1))
	f.Fuzz(func(t *testing.T, before, behind string, form, encoder uint8, size uint16) {
		const secret = "hunter2geheim"
		if strings.ContainsAny(before, "\x00<>\"'&%\\=:{[;,@/?#") {
			return // preceding text may quote the secret, which is another form
		}
		encode := encoders[int(encoder)%len(encoders)]
		text := before + " " + fmt.Sprintf(forms[int(form)%len(forms)], secret) + " " + behind
		text = encode(text)
		clean := Text(text)
		assert.NotContains(t, clean, encode(secret), "%q", text)
		pieces := slices.Collect(Pieces(text, int(size)))
		assert.Equal(t, clean, strings.Join(pieces, ""))
		for _, piece := range pieces {
			assert.LessOrEqual(t, len(piece), max(int(size), 1))
		}
	})
}

func BenchmarkText(b *testing.B) {
	for name, text := range map[string]string{
		"name":    "Anna Müller",
		"uri":     "anna.mueller@meet.example.test",
		"url":     "https://rec1.example.test:8443",
		"record":  strings.Repeat(`<record type="callLegEnd" time="2024-03-05T09:14:12Z" correlatorIndex="5"><callLeg id="a26611fc-021d-4cd5-8c24-2a02995c6283"><reason>remoteTeardown</reason></callLeg></record>`, 1000),
		"hostile": strings.Repeat("&lt;token", 20000),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				Text(text)
			}
		})
	}
}

// Separators in a name are ignored; a host name is not the name of a secret.
func TestNamesWithSeparators(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		assert.Equal(t, want, Text(in))
		assert.Equal(t, html.EscapeString(want), Text(html.EscapeString(in)), "in XML")
	}
	f("<pass_code>1</pass_code>", "<pass_code>REDACTED</pass_code>")
	f("<pass-code>1</pass-code>", "<pass-code>REDACTED</pass-code>")
	f("<api.key>1</api.key>", "<api.key>REDACTED</api.key>")
	f("<guestPin>1</guestPin>", "<guestPin>REDACTED</guestPin>")
	f("<mapping>1</mapping><spinning>1</spinning>", "<mapping>1</mapping><spinning>1</spinning>")
	f("api.key=1 a.b.pin=2", "api.key=REDACTED a.b.pin=REDACTED")
	f("pin.code=1&x=2", "pin.code=REDACTED&x=2")
	f("x.password: 1", "x.password: REDACTED")
	f("https://token.example.test:8443/pin.html", "https://token.example.test:8443/pin.html")
	f("token.example.test:8443", "token.example.test:8443")
	f("ends.rtmp://h/key", "ends.rtmp://h/REDACTED")
	f("Enter the pin. Then: go", "Enter the pin. Then: go")
	long := strings.Repeat("x", 100)
	f(long+"_api__key=1", long+"_api__key=REDACTED")
	for n := range 130 {
		before := strings.Repeat("x", n)
		f(before+"Pin=1", before+"Pin=REDACTED")
		f(before+"pin"+strings.Repeat("y", 30)+"=1", before+"pin"+strings.Repeat("y", 30)+"=1")
		f(before+"_pin_"+strings.Repeat("y", 30)+"=1", before+"_pin_"+strings.Repeat("y", 30)+"=REDACTED")
	}
}

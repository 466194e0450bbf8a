// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"strings"
	"testing"

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

func TestURLs(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		assert.Equal(t, want, URLs(in))
	}
	f("", "")
	f("recorder@rec2.example.test", "recorder@rec2.example.test")
	f("https://rec1.example.test:8443", "https://rec1.example.test:8443")
	f("https://user:pass@rec1.example.test:8443/a@b", "https://REDACTED@rec1.example.test:8443/a@b")
	f("https://rec1.example.test/a@b", "https://rec1.example.test/a@b")
	f("https://user:p@ss@rec1.example.test/", "https://REDACTED@rec1.example.test/")
	f("a://b@c://d:secret@e", "a://REDACTED@c://REDACTED@e")
	f("rtmps://h/key, https://u:secret@h?x", "rtmps://h/REDACTED https://REDACTED@h?x")
}

func TestXML(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		assert.Equal(t, want, XML(in))
	}
	f("", "")
	f("not XML at all", "not XML at all")
	f("<a><streamUrl>rtmp://h/app/key</streamUrl>\n</a>", "<a><streamUrl>REDACTED</streamUrl>\n</a>")
	f("<streamUrl>rtmp://h/app/key", "<streamUrl>REDACTED")
	f("<streamUrl/><b>x</b>", "<streamUrl/><b>x</b>")
	f("<streamUrl></streamUrl>x", "<streamUrl></streamUrl>x")
	f(`<x at="rtmp://h/app/key" b="c"/>`, `<x at="rtmp://h/REDACTED" b="c"/>`)
	f("RTMPS://h/app/key rtmp rtmp:", "rtmps://h/REDACTED rtmp rtmp:")
	f("<guestPasscode kind='1234'>1234</guestPasscode>", "<guestPasscode REDACTED>REDACTED</guestPasscode>")
	f("<passcode><![CDATA[1234]]></passcode>", "<passcode>REDACTED</passcode>")
	f("<passcode><![CDATA[1234]]>", "<passcode>REDACTED]]>")
	f("<streamKey><value>X</value></streamKey><b/>", "<streamKey>REDACTED</streamKey><b/>")
	f(`<passcode value="X"/><b/>`, "<passcode REDACTED/><b/>")
	f("<streamUrl><!-- x -->https://h/X</streamUrl>", "<streamUrl>REDACTED</streamUrl>")
	f("<recorderUrl>https://u:X@rec/a</recorderUrl>", "<recorderUrl>https://REDACTED@rec/a</recorderUrl>")
	f(`<login password = "p" secret='s'>t</login>`, `<login password = "REDACTED" secret='REDACTED'>t</login>`)
	f(`<login token="t`, `<login token="REDACTED`)
	f("the token is nice", "the token is nice")
}

// The cost must stay linear on text made to be slow.
func TestHostileTextIsLinear(t *testing.T) {
	for _, unit := range []string{"token ", "token='", "token=", "<token ", "rtmp://", "rtmp"} {
		text := strings.Repeat(unit, 1<<20/len(unit))
		assert.NotPanics(t, func() { XML(text) })
	}
}

func TestJSON(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		assert.Equal(t, want, JSON(text))
	}
	f(`{"sessionId":"a","password":"p\"q","n":1}`, `{"sessionId":"a","password":"REDACTED","n":1}`)
	f(`{"accessToken" : 42, "x":1}`, `{"accessToken" : "REDACTED", "x":1}`)
	f(`{"secrets":{"a":["}",{"b":1}]},"x":1}`, `{"secrets":"REDACTED","x":1}`)
	f(`{"secrets":[`, `{"secrets":"REDACTED"`)
	f(`{"token":"cut`, `{"token":"REDACTED"`)
	f(`{"token":}`, `{"token":}`)
	f(`{"token":tr}`, `{"token":"REDACTED"}`)
	f(`odd" quote {"token":"a"}`, `odd" quote {"token":"REDACTED"}`)
	f(`{"rtspUrl":"rtsp://u:p@192.0.2.60/live/1"}`, `{"rtspUrl":"rtsp://REDACTED@192.0.2.60/live/1"}`)
	f(`the token is here`, `the token is here`)
	f(``, ``)
}

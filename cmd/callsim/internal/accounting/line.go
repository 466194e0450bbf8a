// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package accounting

import (
	"strconv"
	"strings"
	"time"
)

// attribute of an event, in the order in which it is written.
type attribute struct{ key, value string }

// zone is the offset that the server claims to be in, in minutes. CreationTime is
// UTC all the same, as its Z says.
const zone = "60"

const logger = "eventlogger.com.example.meet.ProxyServlet"

// message is a SIP request or a response to one.
type message struct {
	at     time.Time
	method string
	code   int // 0 for a request
	cseq   int
	from   string
	to     string
	branch string
	media  bool
}

// attributes returns those of the message of a dialog.
func (d *dialog) attributes(m message) []attribute {
	all := []attribute{
		{"CreationTime", stamp(m.at)},
		{"To", m.to},
		{"TimeZoneOffset", zone},
		{"Method", m.method},
		{"Content-Type", ""},
		{"Call-ID", d.Call.SIPCallID},
		{"CSeq", strconv.Itoa(m.cseq) + " " + m.method},
		{"Content-Length", ""},
		{"Via", "SIP/2.0/TCP 192.0.2.10:5061;branch=" + m.branch + ";rport; SIP/2.0/UDP 192.0.2.33:5060;received=198.51.100.7;branch=" + m.branch + "a"},
		{"From", m.from},
	}
	if m.code == 0 {
		all = append(all, attribute{"Service", logger + ".REQUEST." + m.method}, attribute{"RequestUri", "sip:" + d.address + ";transport=TCP"})
	} else {
		code := strconv.Itoa(m.code)
		all = append(all, attribute{"Service", logger + ".RESPONSE." + m.method + "." + code}, attribute{"StatusCode", code})
	}
	if m.media {
		all[4].value, all[7].value = "application/sdp", "392"
		all = append(all, attribute{"MEDIA", "audio 49170 RTP/AVP 0 8;video 51372 RTP/AVP 31 34"})
	}
	return all
}

func stamp(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z") }

// layout writes attributes as a line. Nothing is escaped.
func layout(all []attribute) []byte {
	var b strings.Builder
	for i, a := range all {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(a.key + "=" + a.value)
	}
	b.WriteByte('\n')
	return []byte(b.String())
}

// latin1 returns text in ISO 8859-1, as a server in that locale writes it.
func latin1(text string) string {
	b := make([]byte, 0, len(text))
	for _, r := range text {
		b = append(b, byte(r))
	}
	return string(b)
}

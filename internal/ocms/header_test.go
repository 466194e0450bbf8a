// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestParseAddress(t *testing.T) {
	for text, want := range map[string]Address{
		"<sip:a@h>;tag=1":                        {URI: URI{"sip:a@h", "sip", "a", "h", 0}, Tag: "1"},
		"<sip:a@h>;tag=1;x=2":                    {URI: URI{"sip:a@h", "sip", "a", "h", 0}, Tag: "1"},
		"<sip:a@h>;x=2;tag=1":                    {URI: URI{"sip:a@h", "sip", "a", "h", 0}, Tag: "1"},
		"<sip:a@h> ; TAG = 1 ":                   {URI: URI{"sip:a@h", "sip", "a", "h", 0}, Tag: "1"},
		`<sip:a@h>;tag="a;b"`:                    {URI: URI{"sip:a@h", "sip", "a", "h", 0}, Tag: "a;b"},
		`<sip:a@h>;tag="a\"b"`:                   {URI: URI{"sip:a@h", "sip", "a", "h", 0}, Tag: `a"b`},
		`<sip:a@h>;x=";tag=2";tag=1`:             {URI: URI{"sip:a@h", "sip", "a", "h", 0}, Tag: "1"},
		`<sip:a@h>;x="y;tag=1`:                   {URI: URI{"sip:a@h", "sip", "a", "h", 0}, Tag: "1"},
		"<sip:a@h>;tag=a=1":                      {URI: URI{"sip:a@h", "sip", "a", "h", 0}, Tag: "a=1"},
		"<sip:a@h>;tags=1":                       {URI: URI{"sip:a@h", "sip", "a", "h", 0}},
		"<sip:a@h>;tag":                          {URI: URI{"sip:a@h", "sip", "a", "h", 0}},
		"sip:a@h;tag=1":                          {URI: URI{"sip:a@h", "sip", "a", "h", 0}, Tag: "1"},
		`"Doe, Jane" <sips:j@h:5061;user=phone>`: {Display: "Doe, Jane", URI: URI{"sips:j@h:5061;user=phone", "sips", "j", "h", 5061}},
		`"a <b@c>" <sip:foo@h>`:                  {Display: "a <b@c>", URI: URI{"sip:foo@h", "sip", "foo", "h", 0}},
		"Bond, James <sip:jb@h>":                 {Display: "Bond, James", URI: URI{"sip:jb@h", "sip", "jb", "h", 0}},
	} {
		got, ok := ParseAddress(text)
		assert.True(t, ok, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "<sip:a@h", "Jane", "<>", "<sip:>", "<:a>"} {
		_, ok := ParseAddress(text)
		assert.False(t, ok, text)
	}
}

func TestParseURI(t *testing.T) {
	for text, want := range map[string]URI{
		"sip:a@h":                 {Scheme: "sip", User: "a", Host: "h"},
		"SIP:a:secret@h:5070":     {Scheme: "sip", User: "a", Host: "h", Port: 5070},
		"SIPS:h":                  {Scheme: "sips", Host: "h"},
		"sip:h;x=1?Subject=a%40b": {Scheme: "sip", Host: "h"},
		"sip:bob,x=1@h;y=2":       {Scheme: "sip", User: "bob,x=1", Host: "h"},
		"sip:+49;a=b@h":           {Scheme: "sip", User: "+49;a=b", Host: "h"},
		"sip:a?b@h":               {Scheme: "sip", User: "a?b", Host: "h"},
		"sip:a@b@h":               {Scheme: "sip", User: "a@b", Host: "h"},
		"sip:[2001:db8::1]:5060":  {Scheme: "sip", Host: "2001:db8::1", Port: 5060},
		"sip:a@[2001:db8::1];x=1": {Scheme: "sip", User: "a", Host: "2001:db8::1"},
		"tel:+4420794600;x=1":     {Scheme: "tel"},
	} {
		want.Text = text
		got, ok := ParseURI(text)
		assert.True(t, ok, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "a", "sip:", "sip:a@", "sip:h:x", "sip:h:65536", "sip:h:", "1:a", "tel:", "sip:[::1", "sip:[::1]x"} {
		_, ok := ParseURI(text)
		assert.False(t, ok, text)
	}
}

func TestParseVia(t *testing.T) {
	hops, more, ok := ParseVia("SIP/2.0/TCP 192.0.2.1:5060;branch=z9;rport; SIP/2.0/UDP [2001:db8::9] ;Received=2001:db8::1;BRANCH = b2,SIP/2.0/TLS h", nil)
	assert.True(t, ok)
	assert.False(t, more)
	assert.Equal(t, []Hop{
		{Text: "SIP/2.0/TCP 192.0.2.1:5060;branch=z9;rport", Transport: "TCP", Host: "192.0.2.1", Port: 5060, Parameters: "branch=z9;rport"},
		{Text: "SIP/2.0/UDP [2001:db8::9] ;Received=2001:db8::1;BRANCH = b2", Transport: "UDP", Host: "2001:db8::9", Parameters: "Received=2001:db8::1;BRANCH = b2"},
		{Text: "SIP/2.0/TLS h", Transport: "TLS", Host: "h"},
	}, hops)
	assert.Equal(t, "b2", hops[1].Parameter("branch"))
	assert.Equal(t, "2001:db8::1", hops[1].Parameter("received"))
	for parameters, want := range map[string]string{
		"": "", "branch": "", "branch=": "", "branch=a": "a", "rport;branch=a;x=1": "a", "Branch = a ;x": "a", "branches=b;branch=a": "a",
		"branch=a;branch=b": "a", `x=";branch=b";branch=a`: "a", `x="y;branch=a`: "a", `branch="a;b";x`: `"a;b"`,
	} {
		assert.Equal(t, want, (&Hop{Parameters: parameters}).Parameter("branch"), parameters)
	}
	for _, text := range []string{"", "x", "SIP/2.0/TCP", "SIP/2.0 h", "SIP/2.0/TCP h:x", "SIP/2.0/TCP "} {
		_, _, ok := ParseVia(text, nil)
		assert.False(t, ok, text)
	}
}

func TestParseMedia(t *testing.T) {
	streams, more, ok := ParseMedia("audio 49170 RTP/AVP 0 8; video 51372/2 RTP/AVP 31;", nil)
	assert.True(t, ok)
	assert.False(t, more)
	assert.Equal(t, []Stream{
		{Text: "audio 49170 RTP/AVP 0 8", Type: "audio", Port: 49170, Protocol: "RTP/AVP"},
		{Text: "video 51372/2 RTP/AVP 31", Type: "video", Port: 51372, Protocol: "RTP/AVP"},
	}, streams)
	for _, text := range []string{"audio", "audio 1", "audio x RTP/AVP", "audio 65536 RTP/AVP 0", " 1 RTP/AVP"} {
		_, _, ok := ParseMedia(text, nil)
		assert.False(t, ok, text)
	}
}

// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package secrets plants a secret in wire text, in every form in which one is
// known to come, for tests that look for it in all that a component sends.
package secrets

import (
	"html"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf16"
)

// Secret is planted. It needs no escape in any encoding, so that it can be looked
// for; its letters are none of a mark's or of a name's.
const Secret = "hunter2geheim"

// XML are elements of a record that hold the secret.
var XML = []string{
	"<passcode>" + Secret + "</passcode>",
	"<c:passcode>" + Secret + "</c:passcode>",
	"<passcode " + strings.Repeat(`a="b" `, 200) + ">" + Secret + "</passcode>",
	"<passcode kind='" + Secret + "'>1</passcode>",
	"<passcode><![CDATA[" + Secret + "]]></passcode>",
	"<guestPasscode><value>" + Secret + "</value></guestPasscode>",
	"<streamUrl>rtmp://live.example.test/app/" + Secret + "</streamUrl>",
	"<backupUrl>rtmps://live.example.test/" + Secret + "</backupUrl>",
	"<recorderUrl>https://user:" + Secret + "@rec.example.test/</recorderUrl>",
	"<name>https://user:" + Secret + "@wiki.example.test/</name>",
	"<remoteParty>sip:alice:" + Secret + "@example.test</remoteParty>",
	"<remoteParty>alice.smith:" + Secret + "@example.test</remoteParty>",
	"<originalRemoteParty>tel:+15551234:" + Secret + "@example.test</originalRemoteParty>",
	"<displayName>&lt;sip:alice:" + Secret + "@example.test&gt;</displayName>",
	"<localAddress>https://example.test/?access_token=" + Secret + "&amp;x=1</localAddress>",
	"<future>{\"token\":\"" + Secret + "\"}</future>",
	"<future at=\"passcode=" + Secret + "\"/>",
	"<future>&lt;passcode&gt;" + Secret + "&lt;/passcode&gt;</future>",
	"<pass_code>" + Secret + "</pass_code>",
	"<pass-code>" + Secret + "</pass-code>",
	"<api.key>" + Secret + "</api.key>",
	"<guestPin>" + Secret + "</guestPin>",
	"<future api.key='" + Secret + "'/>",
}

// JSON are members of an event's body that hold the secret.
var JSON = []string{
	`"password":"` + Secret + `"`,
	`"secrets":[{"a":"` + Secret + `"}]`,
	`"future":{"accessToken":"` + Secret + `"}`,
	`"future":"https://user:` + Secret + `@host.example.test/"`,
	`"future":"sip:alice:` + Secret + `@example.test"`,
	`"future":"{\"token\":\"` + Secret + `\"}"`,
	`"future":"passcode=` + Secret + `&x=1"`,
	`"tagName":"https://crm:` + Secret + `@crm.example.test/c/1?token=` + Secret + `"`,
	`"sessionState":"rtmp://host/app/` + Secret + `"`,
	`"tracks":[{"trackNumber":0,"trackMediaType":"https://user:` + Secret + `@host/","participants":[{"deviceRef":"sip:bob:` + Secret + `@host"}]}]`,
	`"pass_code":"` + Secret + `"`,
	`"api.key":"` + Secret + `"`,
	`"guestPin":"` + Secret + `"`,
}

// Encodings are how a body may come. The first leaves it as it is.
var Encodings = map[string]func(string) string{
	"plain":                 func(s string) string { return s },
	"form":                  func(s string) string { return "body=" + url.QueryEscape(s) + "&x=1" },
	"percent-encoded":       url.PathEscape,
	"percent-encoded twice": func(s string) string { return url.QueryEscape(url.QueryEscape(s)) },
	"XML in XML":            html.EscapeString,
	"JSON string":           strconv.QuoteToASCII,
	"UTF-16 little endian":  func(s string) string { return utf16Text("\ufeff"+s, 0) },
	"UTF-16 big endian":     func(s string) string { return utf16Text(s, 1) },
	"form parameter":        func(s string) string { return "a=b&passcode=" + Secret + "&text=" + url.QueryEscape(s) },
	"part of a form": func(s string) string {
		return "--b\r\nContent-Disposition: form-data; name=\"passcode\"\r\n\r\n" + Secret + "\r\n--b\r\n" + s
	},
	"cut in front of its end": func(s string) string { return s[:strings.LastIndex(s, Secret)+len(Secret)] },
}

func utf16Text(s string, low int) string {
	var out []byte
	for _, unit := range utf16.Encode([]rune(s)) {
		var pair [2]byte
		pair[low], pair[1-low] = byte(unit), byte(unit>>8) //nolint:gosec // the halves of a unit
		out = append(out, pair[:]...)
	}
	return string(out)
}

// In reports whether text holds the secret, as it is or in UTF-16.
func In(text string) bool {
	return strings.Contains(strings.ReplaceAll(text, "\x00", ""), Secret)
}

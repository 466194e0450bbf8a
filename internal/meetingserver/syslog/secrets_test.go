// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/testkit/secrets"
)

// longSecret fills more than two chunks; no eight characters of it occur elsewhere.
const longSecret = "q1w2e3r4t5y6-u7i8o9p0-a1s2d3f4-g5h6j7k8-l9z0x1c2-v3b4n5m6-Q7W8E9R0-T1Y2U3I4-O5P6A7S8-D9F0G1H2-J3K4L5Z6-X7C8V9B0"

// leaked reports whether eight characters in a row of the long secret, or the other
// secret, are in text.
func leaked(text string) bool {
	for i := range len(longSecret) - 8 {
		if strings.Contains(text, longSecret[i:i+8]) {
			return true
		}
	}
	return secrets.In(text)
}

// secretNames are spellings that the API, its clients and its configuration have.
var secretNames = []string{
	"secret", "passcode", "password", "pin", "Secret", "PASSCODE", "guestPasscode", "coSpaceSecret", "newPassword", "ldapPassword", "passcode1",
	"memberPin", "guest_pin", "pin-code", "pinCode", "pass_code", "pass-word", "regenerate.secret", "ownerPIN",
}

// Wherever a secret stands in a line and however the lines are cut, it is in no byte of
// what comes out.
func TestSecrets(t *testing.T) {
	const head = testDate + " user.info cms-n1 host:server:  INFO : "
	trace := func(text string) string { return head + "API trace 7:" + text + "\n" }
	request := trace(` POST for "/api/v1/coSpaces" (from 192.0.2.1)`) + trace(` content data size 99, type "application/x-www-form-urlencoded":`)
	response := trace(` GET for "/api/v1/coSpaces/1" (from 192.0.2.1)`) + trace(" sending 200 response, size 99")
	chunks := func(text, indent string) string {
		var all strings.Builder
		all.WriteString(trace("  " + text[:min(len(text), chunkLength)]))
		for text = text[min(len(text), chunkLength):]; text != ""; text = text[min(len(text), chunkLength):] {
			all.WriteString(trace(indent + text[:min(len(text), chunkLength)]))
		}
		return all.String()
	}
	var inputs []string
	for _, name := range secretNames {
		// A body is logged decoded: a value may hold any character.
		for _, secret := range []string{longSecret[:60] + "=" + longSecret[60:], longSecret[:30] + "&" + longSecret[30:], longSecret[:41] + " " + longSecret[41:]} {
			parameter := name + "=" + secret
			inputs = append(inputs,
				request+trace("  name=x&")+chunks(parameter+"&", "      ")+trace("  uri=y"),
				request+skipLines(chunks(parameter, "      "), 1),
				request+chunks(parameter, " "),
				skipLines(chunks(parameter, "      "), 1),
				skipLines(chunks(parameter, " "), 1),
			)
		}
		for _, secret := range []string{secrets.Secret, longSecret} {
			parameter := name + "=" + secret
			element := "<" + name + ">" + secret + "</" + name + ">"
			inputs = append(inputs,
				// Parameters, in one line and in chunks; with the first chunk or the request lost.
				request+trace("  name=x&")+chunks(parameter+"&", "      ")+trace("  uri=y"),
				request+trace("  name=x")+chunks(parameter, "      ")+trace(" sending 200 response, size 0"),
				request+strings.Join(strings.SplitAfter(trace("  name=x&")+chunks(parameter, "      "), "\n")[:1], "")+skipLines(chunks(parameter, "      "), 1),
				skipLines(chunks(parameter, "      "), 1),
				skipLines(chunks(parameter, " "), 1), // collapsed blanks
				chunks(parameter, "      "),
				request+chunks(parameter, "     "),
				request+chunks(parameter, "  "),
				trace(" "+parameter),
				// Elements, on one line and over several, whole and cut.
				response+trace("  <coSpace>")+trace("    "+element)+trace("  </coSpace>"),
				response+trace("  <coSpace>")+trace("    <"+name+">")+trace("      "+secret)+trace("    </"+name+">")+trace("  </coSpace>"),
				response+trace("  <coSpace>")+trace("    <"+name+">"+secret[:5])+trace(secret[5:]+"</"+name+">")+trace("  </coSpace>"),
				response+trace("  <coSpace><"+name+"><value>"+secret+"</value></"+name+"></coSpace>"),
				response+trace("  <coSpace>")+trace("    <"+name+">"+secret),
				response+trace("  <coSpace")+trace("    "+element+"<</coSpace>"),
				response+trace("  <coSpace "+name+`="`+secret+`"/>`),
				trace("    "+element),
				// Paths and queries.
				trace(` GET for "/api/v1/coSpaces?`+parameter+`" (from 192.0.2.1)`)+trace(" sending 200 response, size 0"),
				trace(` GET for "/api/v1/coSpaces?`+parameter)+trace(" sending 200 response, size 0"),
				request+trace(" sending 200 response, size 0")+trace(" Location: /api/v1/coSpaces/1?"+parameter),
				// Other lines, and lines that are not understood.
				head+parameter+"\n", head+"text "+element+"\n", head+"{\""+name+"\": \""+secret+"\"}\n",
				parameter+"\n", element+"\n", "  "+name+": "+secret+"\n",
				head+parameter[:len(name)+6]+"\n"+secret[5:]+"\n", // a line that an editor wrapped
				head+"API trace 7:  "+parameter[:len(name)+6]+"\n"+secret[5:]+"\n"+"\n",
				head+"API trace 7:  "+name+"=\n"+secret+"\n",
				"broken "+parameter[:len(name)+6]+"\n"+secret[5:10]+"\n"+secret[10:]+"\n",
				head+"<"+name+">\n"+secret+"\n</"+name+">\n",
				testDate+" local0.info cms-n1 cli: User admin from 192.0.2.33:1 issued command < ldap "+name+" "+secret+">: permission granted\n",
				testDate+" local0.info cms-n1 cli: ldap "+name+" "+secret+"\n",
				head+"incorrect "+name+" "+secret+" entered\n",
			)
		}
	}
	inputs = append(inputs,
		testDate+" local0.info cms-n1 cli: User admin from 192.0.2.33:1 issued command < turn credentials anna "+secrets.Secret+" example.test>: ok\n",
		testDate+" local0.info cms-n1 cli: User admin from 192.0.2.33:1 issued command < snmp user add anna "+secrets.Secret+" MD5 DES>: ok\n",
		head+`192.0.2.1: API user "https://a:`+secrets.Secret+`@host" modified space 39489a5a-2084-455a-89bc-e5eedc2e2ba5 (rtmp://h/`+secrets.Secret+")\n",
		head+`participant "anna:`+secrets.Secret+`@example.test" joined space 39489a5a-2084-455a-89bc-e5eedc2e2ba5 (x)`+"\n",
		head+`call 7: outgoing SIP call to "sip:anna:`+secrets.Secret+`@example.test" from space "x"`+"\n",
		request+chunks("remoteParty=anna:"+secrets.Secret+"@example.test", "      "),
		request+chunks("text=https://anna:"+longSecret+"@example.test/", "      "),
	)
	for i, input := range inputs {
		if got := read(input); leaked(got) {
			assert.Fail(t, "a secret leaked", "input %d:\n%s\noutput:\n%s", i, input, got)
		}
	}
}

func skipLines(text string, n int) string {
	return strings.Join(strings.SplitAfter(text, "\n")[n:], "")
}

// The fixtures' secret, by its value.
func TestSecretOfFixture(t *testing.T) {
	got := read(fixture(t, "cms-api/syslog-api-trace.log"))
	assert.NotContains(t, got, "2a78aad6")
	assert.Equal(t, 2, strings.Count(got, "REDACTED"), "passcode and secret")
}

// FuzzSecrets secret at any place of a trace whose lines are cut, lost and mixed leaks nowhere.
func FuzzSecrets(f *testing.F) {
	f.Add(uint8(0), uint8(0), uint8(0), "x", "y", uint64(0))
	f.Add(uint8(1), uint8(200), uint8(3), "name=x&", "<name>", uint64(5))
	f.Fuzz(func(t *testing.T, name, length, form uint8, before, after string, lost uint64) {
		if leaked(before+after) || strings.ContainsAny(before+after, "\r\n") {
			return
		}
		secret := longSecret[:8+int(length)%(len(longSecret)-8)]
		key := secretNames[int(name)%len(secretNames)]
		head := testDate + " user.info cms-n1 host:server:  INFO : API trace 7:"
		lines := []string{head + ` POST for "/api/v1/coSpaces" (from 192.0.2.1)`, head + " content data size 9, type \"x\":", head + "  " + before}
		switch form % 4 {
		case 0:
			text := key + "=" + secret + "&"
			lines = append(lines, head+"  "+text[:min(len(text), chunkLength)])
			for text = text[min(len(text), chunkLength):]; text != ""; text = text[min(len(text), chunkLength):] {
				lines = append(lines, head+"      "+text[:min(len(text), chunkLength)])
			}
		case 1:
			lines = append(lines, head+" sending 200 response, size 9", head+"  <a>", head+"    <"+key+">", head+"      "+secret, head+"    </"+key+">", head+"  </a>")
		case 2:
			lines = append(lines, head+" sending 200 response, size 9", head+"  <a>", head+"    <"+key+">"+secret+"</"+key+">", head+"  </a>")
		case 3:
			lines = append(lines, fmt.Sprintf("%s %s=%s", head[:20], key, secret[:4]), secret[4:])
		}
		lines = append(lines, head+"  "+after)
		// One line may be lost: two that follow each other may hold name and secret.
		at := int(lost % uint64(len(lines)+1))
		if at < len(lines) && form%4 != 3 && form%4 != 1 {
			lines = append(lines[:at:at], lines[at+1:]...)
		}
		require.False(t, leaked(read(strings.Join(lines, "\n"))), "%q", lines)
	})
}

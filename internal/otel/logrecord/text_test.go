// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package logrecord

import (
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
)

func TestAppendText(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		assert.Equal(t, "> "+want, string(AppendText([]byte("> "), text)))
		assert.Equal(t, "> "+want, string(AppendText([]byte("> "), []byte(text))))
		assert.True(t, utf8.ValidString(want))
	}
	f("", "")
	f("Anna Müller, 東京 👍", "Anna Müller, 東京 👍")
	f("DOMAIN\\anna", "DOMAIN\\anna")
	f("山田\u3000太郎\u00a0👨\u200d👩", "山田\u3000太郎\u00a0👨\u200d👩")
	f("a\nb\rc\td", `a\nb\rc\td`)
	f("\x1b[31mred\x00\x7f", `\x1b[31mred\x00\x7f`)
	f("a\u0085b\u2028c\u2029d", `a\u0085b\u2028c\u2029d`)
	f("a\u202eb\u2066c", `a\u202eb\u2066c`)
	f("a\xffb\xe6\x9d", `a\xffb\xe6\x9d`)
	f("\ufffd", "\ufffd")
	f("https://user:pw@host/\n", `https://REDACTED@host/\n`)
	f("sip:anna:pw@host", "sip:anna:REDACTED@host")
}

// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"strings"

	"github.com/legato-otel/legato/internal/redact"
)

// removeSecrets returns text without secrets, and whether it had any.
func removeSecrets(text string) (cleaned string, had bool) {
	cleaned = removeSpokenSecrets(removeAddressPasswords(redact.Text(text)))
	return cleaned, cleaned != text
}

// removeAddressPasswords replaces the passwords of quoted addresses, which bridges write
// without a scheme: "anna:password@example.test".
func removeAddressPasswords(text string) string {
	if strings.IndexByte(text, '@') < 0 || strings.IndexByte(text, '"') < 0 {
		return text
	}
	var b strings.Builder
	for rest := text; ; {
		open := strings.IndexByte(rest, '"')
		end := strings.IndexByte(rest[open+1:], '"') // open is -1 without a quote
		if open < 0 || end < 0 {
			b.WriteString(rest)
			return b.String()
		}
		b.WriteString(rest[:open+1])
		b.WriteString(redact.Address(rest[open+1 : open+1+end]))
		rest = rest[open+1+end:] // this quote may open the next text as well
		if strings.IndexByte(rest, '@') < 0 {
			b.WriteString(rest)
			return b.String()
		}
		b.WriteByte('"')
		rest = rest[1:]
	}
}

// removeSpokenSecrets replaces secrets in sentences, such as "incorrect passcode 1234": a
// word with a digit behind the name of a secret.
func removeSpokenSecrets(text string) string {
	var b strings.Builder
	kept := 0
	for i := 0; i < len(text); {
		if !isWordByte(text[i]) {
			i++
			continue
		}
		end := i
		for end < len(text) && isWordByte(text[end]) {
			end++
		}
		if from, to, found := spokenSecret(text, end); found && redact.IsSecretName(text[i:end]) {
			b.WriteString(text[kept:from])
			b.WriteString(redact.Mark)
			kept, end = to, to
		}
		i = end
	}
	if kept == 0 {
		return text
	}
	b.WriteString(text[kept:])
	return b.String()
}

// spokenSecret returns the word with a digit that follows the word that ends at end.
func spokenSecret(text string, end int) (from, to int, found bool) {
	from = end
	for from < len(text) && (isBlank(text[from]) || text[from] == '"' || text[from] == '\'' || text[from] == '(') {
		from++
	}
	if from == end {
		return 0, 0, false
	}
	digit := false
	for to = from; to < len(text) && !isBlank(text[to]) && text[to] != '"' && text[to] != '\'' && text[to] != ')'; to++ {
		digit = digit || text[to] >= '0' && text[to] <= '9'
	}
	return from, to, digit
}

func isWordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.'
}

// commandsWithSecrets are the commands with a secret as a positional argument. In other
// commands a word that names a secret precedes it.
var commandsWithSecrets = [...]string{"turn credentials ", "snmp user add ", "pki pkcs12-to-ssl "}

// removeCommandSecrets removes all text of a command behind the first word that names a
// secret.
func removeCommandSecrets(command string) (cleaned string, had bool) {
	for _, prefix := range commandsWithSecrets {
		if len(command) > len(prefix) && strings.EqualFold(command[:len(prefix)], prefix) {
			return prefix + redact.Mark, true
		}
	}
	rest := command
	for rest != "" {
		var word string
		word, rest = cutWord(rest)
		if redact.IsSecretName(strings.Trim(word, `"'`)) && skipBlanks(rest) != "" {
			return command[:len(command)-len(rest)] + " " + redact.Mark, true
		}
	}
	return removeSecrets(command)
}

// endsInSecret reports whether text appended to this one would belong to a secret.
func endsInSecret(text string) bool {
	const probe = "q7"
	return redact.MayHoldSecret(text) && !strings.HasSuffix(redact.Text(text+probe), probe)
}

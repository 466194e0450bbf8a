// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cdr

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestBools(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		assert.Equal(t, want, value(parse(in, KindBool)), "%q", in)
	}
	f("true", "bool:true")
	f("false", "bool:false")
	f(" true\n", "bool:true")
	// The guide has neither of these, and each can mean one thing only.
	for _, text := range []string{"1", "TRUE", "True"} {
		f(text, "bool:true")
	}
	for _, text := range []string{"0", "FALSE", "False"} {
		f(text, "bool:false")
	}
	for _, text := range []string{"yes", "Yes", "no", "2", "01", "-1", "1.0", "on", "t", "maybe", ""} {
		f(text, "text:"+text)
	}
}

func TestInts(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		assert.Equal(t, want, value(parse(in, KindInt)), "%q", in)
	}
	f("0", "int:0")
	f(" 1920 ", "int:1920")
	f("9223372036854775807", "int:9223372036854775807")
	for _, text := range []string{
		"9223372036854775808", "18446744073709551616", "-1", "+1", "1.0", "1e3", "0x1", "1_000", "1,000", "x", "n/a", "",
	} {
		f(text, "text:"+text)
	}
}

func TestDoubles(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		assert.Equal(t, want, value(parse(in, KindDouble)), "%q", in)
	}
	f("45", "double:45") // trap 8
	f("45.5", "double:45.5")
	f("0.0", "double:0")
	f("3940.118", "double:3940.118")
	f(" 1.4 ", "double:1.4")
	f("-1", "double:-1") // a number all the same
	f("+1.5", "double:1.5")
	f(".5", "double:0.5")
	f("5.", "double:5")
	f("1.5e3", "double:1500")
	f("1e-400", "double:0")
	// What strconv takes for a number and nobody else does, and what is none.
	for _, text := range []string{
		"NaN", "nan", "Inf", "-Inf", "infinity", "0x1p4", "1_0", "1e400", "1,5", "--1", "1-1", "1e", "e5", "E", ".", "+", "1 2", "n/a", "",
	} {
		f(text, "text:"+text)
	}
}

// A value that is not of its kind keeps its text, so it can still be searched.
func TestBadValuesOfTheFixture(t *testing.T) {
	batch := decode(fixtures(t)["malformed/bad-values.xml"])
	assert.Empty(t, batch.Malformed)
	r := &batch.Records[0]
	assert.Equal(t, "not-a-guid", r.ID)
	assert.Equal(t, Number{Text: "-1"}, r.Index)
	assert.Equal(t, Number{Text: "x"}, r.LegacyIndex)
	assert.Equal(t, []string{"reason=text:", "remoteTeardown=text:maybe", "durationSeconds=text:n/a"}, fields(r))
	assert.Equal(t, []string{"packetLoss=text:NaN", "=double:2", "excessiveJitter=text:"}, alarms(r))
}

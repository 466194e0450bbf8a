// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package wordscan

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestLoad(t *testing.T) {
	const text = "\x00\x01\x7f\x80\xfe\xff:@ends"
	for i := range len(text) - Size + 1 {
		assert.Equal(t, binary.LittleEndian.Uint64([]byte(text[i:])), Load(text, i), i)
	}
	assert.Panics(t, func() { _ = Load(text, len(text)-Size+1) })
	assert.Panics(t, func() { _ = Load(text, -1) })
}

func TestBits(t *testing.T) {
	assert.Equal(t, Load("\x01\x01\x01\x01\x01\x01\x01\x01", 0), uint64(LowBits))
	assert.Equal(t, Load("\x80\x80\x80\x80\x80\x80\x80\x80", 0), uint64(TopBits))
}

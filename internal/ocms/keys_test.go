// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNamesOfKeys(t *testing.T) {
	for key := Unknown + 1; key < KeyCount; key++ {
		assert.Equal(t, key, matchDocumentedKey(key.String()+"="))
		assert.Equal(t, key, KeyOf(key.String()))
		assert.Equal(t, Unknown, matchDocumentedKey(key.String()))
		assert.Equal(t, Unknown, matchDocumentedKey(key.String()+"x="))
	}
}

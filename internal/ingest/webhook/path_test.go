// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What people configure, register and what proxies make of it.
func TestPathMatches(t *testing.T) {
	f := func(configured, target string, want bool) {
		t.Helper()
		require.NoError(t, CheckPath(configured))
		u, err := url.ParseRequestURI(target)
		require.NoError(t, err)
		p := newPath(configured)
		assert.Equal(t, want, p.matchesURL(u), "%s for %s", target, configured)
	}
	f("/cdr", "/cdr", true)
	f("/cdr", "/cdr/", true)
	f("/cdr", "/cdr?system_id=a", true)
	f("/cdr", "/cdr/?system_id=a", true)
	f("/cdr", "http://collector:8080/cdr?system_id=a", true)
	f("/cdr", "/%63dr", true)
	f("/cdr", "/", false)
	f("/cdr", "/cdr//", false)
	f("/cdr", "//cdr", false)
	f("/cdr", "/CDR", false)
	f("/cdr", "/cdr/x", false)
	f("/cdr", "/x/../cdr", false)
	f("/cdr/", "/cdr", true)
	f("/cdr/", "/cdr/", true)
	f("/", "/", true)
	f("/", "/cdr", false)
	f("/cdr/s3cret%2Bkey", "/cdr/s3cret%2Bkey", true)
	f("/cdr/s3cret%2Bkey", "/cdr/s3cret%2bkey", true)
	f("/cdr/s3cret%2Bkey", "/cdr/s3cret+key", true)
	f("/cdr/s3cret+key", "/cdr/s3cret%2Bkey", true)
	f("/cdr/s3cret%2Bkey", "/cdr/s3cret%252Bkey", false)
	f("/cdr/a%2Fb", "/cdr/a%2Fb", true)
	f("/cdr/a%2Fb", "/cdr/a%2fb", true)
	f("/cdr/a%2Fb", "/cdr/a/b", false)
	f("/cdr/a/b", "/cdr/a%2Fb", false)
	f("/cdr/a b", "/cdr/a%20b", true)
	f("/cdr/東京", "/cdr/%E6%9D%B1%E4%BA%AC", true)
	f("/cdr/100%25", "/cdr/100%25", true)
}

func TestCheckPath(t *testing.T) {
	f := func(path, want string) {
		t.Helper()
		assert.EqualError(t, CheckPath(path), want)
	}
	f("cdr", `path must start with / and have no query or fragment, got "cdr"`)
	f("", `path must start with / and have no query or fragment, got ""`)
	f("/cdr?token=t0ken", `path must start with / and have no query or fragment, got "/cdr" with one: leave it out, every query is accepted`)
	f("/cdr/k3y#t0ken", `path must start with / and have no query or fragment, got "/cdr/***" with one: leave it out, every query is accepted`)
	f("/cdr/k3y%2", `path must have two hexadecimal digits after each %, got "/cdr/***": write % itself as %25`)
}

func TestMaskPath(t *testing.T) {
	f := func(path, want string) {
		t.Helper()
		assert.Equal(t, want, MaskPath(path, "/cdr"))
	}
	f("/cdr", "/cdr")
	f("/", "/")
	f("/token", "/***")
	f("/cdr/s3cret%2Bkey", "/cdr/***")
	f("/cms/cdr", "/cms/***")
	f("/cms/T0ken/cdr", "/cms/***/***")
	f("/cms/averyverylongword/cdr/", "/cms/***/***/")
	f("/token/", "/***/")
}

// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package listener

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

// CheckAddress returns an error unless value is host:port with a numeric port. An empty host
// means all interfaces. The error names the key and the value, and shows example.
func CheckAddress(key, value, example string) error {
	if value == "" {
		return fmt.Errorf("%s must not be empty: write host:port, as %s", key, example)
	}
	host, port, err := net.SplitHostPort(value)
	if err == nil && !strings.ContainsAny(host, "/@ \t") {
		if _, err = strconv.ParseUint(port, 10, 16); err == nil {
			return nil
		}
	}
	return fmt.Errorf("%s must be host:port, as %s, with a port from 0 to 65535; got %q", key, example, maskAddress(value))
}

// maskAddress masks the parts of a URL that may hold a secret: the user, and the path with its
// query.
func maskAddress(value string) string {
	const mask = "***"
	scheme, rest, hasScheme := strings.Cut(value, "://")
	if hasScheme {
		scheme += "://"
	} else {
		scheme, rest = "", value
	}
	if n := strings.LastIndexByte(rest, '@'); n >= 0 {
		rest = mask + rest[n:]
	}
	if n := strings.IndexAny(rest, "/?#"); n >= 0 && n+1 < len(rest) {
		rest = rest[:n+1] + mask
	}
	return scheme + rest
}

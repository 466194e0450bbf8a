// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package listener holds the rules of all listeners of the project that the Collector's
// config packages leave open.
//
//	address.go    validation of an address, without a look-up of names
//	http.go       validation of an HTTP server, and the acceptance of plain bodies
//	error_log.go  the log of an HTTP server's own errors, at most one line a minute of each kind
//
// The checks are pure: a component calls them in Validate.
//
// # Tests
//
// Tables of addresses and of lines. The list of encodings is compared with confighttp's own.
package listener

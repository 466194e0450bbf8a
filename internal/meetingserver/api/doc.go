// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package api is a client of the Cisco Meeting Server API (/api/v1): HTTP
// with basic authentication sent at once, forms in, XML out. It holds what the
// components need of it: the CDR receivers of a Call Bridge, what opens its event
// sockets, and what is scraped. Package object decodes the answers.
//
// All clients of the process share what a server sees of them together:
//
//	account.go  one password: after a 401 nobody asks for UnauthorizedRetryDelay,
//	            because servers lock accounts, and then one request finds out
//	            whether the password is good
//	server.go   one server: two requests at a time; after a 503 scrapers wait
//
// A Client keeps no state of its own but its connections and is safe for
// concurrent use. A [CDRRegistration] remembers the entry it made and serves one
// goroutine. Errors of the server are *[Error] with the server's own reasons.
// Neither credentials nor the URIs of other receivers (which may hold tokens) are
// part of an error.
package api

// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package api is a client of the API of Cisco Meeting Server: HTTP with basic
// authentication, forms in, XML out. It has the parts that the components need: the CDR
// receivers of a Call Bridge, the tokens of event sockets, and the objects that are scraped.
// Package object decodes the answers.
//
// All clients of the process share the state of accounts and servers:
//
//	account.go  an account: after a 401, no client sends a request for
//	            UnauthorizedRetryDelay, because servers lock accounts; then one request
//	            tests the password
//	server.go   a server: two concurrent requests; after a 503, reads wait
//
// A request waits for these two, and for the server, as long as its context allows.
//
// A Client is safe for concurrent use. A [CDRRegistration] stores the identity of its entry
// and serves one goroutine. An error answer is an *[Error] with the reasons of the server.
// Errors contain neither credentials nor the URIs of other receivers, which may have tokens.
//
// Package apitest plays the API in tests.
package api

// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package webhook serves the receivers that one kind of sender posts to on one path.
//
//	server.go    the listener, and its stop in bounded time
//	handler.go   methods, sizes and status codes; the HTTP answer is the back-pressure
//	path.go      which path is meant, and what of it may be logged
//	body.go      reading bodies, of which all together are bounded in bytes
//	messages.go  what the log says, at most once a minute for each kind
//
// There is no queue: a sender that is answered with 503 keeps what it has. Requests run
// side by side and wait in Settings.Accept only; Server.Stop bounds that wait. The tests
// serve on a port of localhost.
package webhook

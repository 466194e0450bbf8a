// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package api is a client of the MediaSense API, for these calls: sign in, subscribe to
// events, verify, unsubscribe, sign out. It keeps the session; the caller decides when to
// make a call. Each call waits for the server until its context ends. A [Client] is for one
// goroutine. The tests run against apitest, a fake of the server.
package api

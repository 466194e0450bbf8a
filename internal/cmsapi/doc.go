// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package cmsapi is a client of the Cisco Meeting Server API (/api/v1): HTTP
// with basic authentication sent at once, forms in, XML out. It holds what the
// components need of it: the CDR receivers of a Call Bridge, and what opens its
// event sockets.
//
// After a 401 no client of the process with the same credentials asks the server
// for UnauthorizedRetryDelay: it locks accounts.
//
// A Client keeps no state but its connections and is safe for concurrent use. A
// [CDRRegistration] remembers the entry it made and serves one goroutine.
// Errors of the server are *[Error] with the server's own reasons. Neither
// credentials nor the URIs of other receivers (which may hold tokens) are part
// of an error.
package cmsapi

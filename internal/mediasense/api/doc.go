// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package api is a client of the MediaSense API for as much of it as the
// project needs: sign in, subscribe to events, verify, unsubscribe, sign out. It
// keeps a session and decides nothing: when to do what is for its caller.
package api

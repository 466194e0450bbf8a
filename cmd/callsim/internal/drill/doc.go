// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package drill makes one thing go wrong on purpose, so that people can see whether the
// alert for it reaches them. A drill posts to a running Collector what a Call Bridge or a
// MediaSense server would send, or writes lines as OCMS does. Everything it sends is called
// drill: the bridge, the people and the room.
//
//	drill.go     the list, and what a drill needs
//	bridge.go    a made-up Call Bridge
//	records.go   drills with call detail records
//	storage.go   drills with MediaSense events and lines of OCMS
package drill

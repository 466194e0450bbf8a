// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package drill causes one failure on purpose, so that operators can check whether its
// alert reaches them. A drill posts to a running Collector as a Call Bridge or a
// MediaSense server would, or writes lines as OCMS does. The bridge, the people and the
// room that it sends are all named drill.
//
//	drill.go     the list, and what a drill needs
//	bridge.go    a made-up Call Bridge
//	records.go   drills with call detail records
//	storage.go   drills with MediaSense events and lines of OCMS
//	byhand.go    drills that are no posts, and how they are played
package drill

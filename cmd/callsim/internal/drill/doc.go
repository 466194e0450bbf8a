// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package drill causes one failure on purpose, so that operators can check whether its
// alert reaches them. A drill posts to a running Collector as a Call Bridge or a
// MediaSense server would, or writes lines as OCMS does. The bridge, the people and the
// room that it sends are all named drill.
//
//	drill.go         the list, and what a drill needs
//	play.go          what drills have in common
//	bridge.go        a made-up Call Bridge
//	records.go       drills with call detail records
//	storage.go       drills with MediaSense events and lines of OCMS
//	simulated.go     drills with a simulated Call Bridge that the Collector follows
//	surroundings.go  drills of a backend and of a disk
//	byhand.go        drills that people play, and their steps
package drill

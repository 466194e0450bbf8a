// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

//go:build race

package stitch

// raceEnabled makes the long tests shorter: there is nothing concurrent here.
const raceEnabled = true

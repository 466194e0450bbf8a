// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package stitch

// raceEnabled: see race_test.go.
const raceEnabled = false

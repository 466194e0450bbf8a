// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package reconcile holds one test over four components: after ends were lost, the call
// archive shows as running only the calls that the Call Bridge has, within two scrapes.
package reconcile

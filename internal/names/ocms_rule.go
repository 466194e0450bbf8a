// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package names

import "strings"

// OCMSAttribute is the name of an attribute that an application added to an
// accounting event, and of a documented one that occurs again.
func OCMSAttribute(key string) string {
	return OCMSAttributePrefix + "." + strings.ToLower(strings.ReplaceAll(Snake(key), "-", "_"))
}

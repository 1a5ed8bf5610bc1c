/** What stands for a character that must not reach a terminal. */
const REPLACEMENT = '?';

/**
 * Text from outside, made safe to show: control characters (C0, DEL, C1), invisible ones that steer
 * the text (bidirectional overrides, zero-width characters, tags), line separators and halves of
 * characters are each replaced by a question mark, and anything over `limit` characters is cut.
 * ECMA-48 escape sequences all begin with a C0 or C1 character, so none survives.
 */
export function printable(text: string, limit = 80): string {
	const safe = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, REPLACEMENT);
	return safe.length > limit ? `${safe.slice(0, limit - 3).replace(/\p{Cs}$/u, '')}...` : safe;
}

/** Replaces a character that must not reach a terminal. */
const REPLACEMENT = '?';

/**
 * Makes text from outside safe to show. Control characters (C0, DEL, C1), invisible characters that
 * change how text is shown (bidirectional overrides, zero-width characters, tags), line separators,
 * noncharacters (YAML refuses them) and lone surrogates are each replaced by a question mark. Text over `limit`
 * characters is cut. Each ECMA-48 escape sequence begins with a C0 or C1 character, so that none remains.
 */
export function printable(text: string, limit = 80): string {
	const safe = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{NChar}]/gu, REPLACEMENT);
	return safe.length > limit ? `${safe.slice(0, limit - 3).replace(/\p{Cs}$/u, '')}...` : safe;
}

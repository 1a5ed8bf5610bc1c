/**
 * How many seconds a change waits for its confirmation, and between which limits a user may set
 * that.
 */
export const CONFIRM_SECONDS = {usual: 60, least: 10, most: 3600} as const;

/** The shells that completion is for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** The forms that `export` knows. */
export const EXPORTS = ['ansible', 'cloud-init', 'nft', 'shell'] as const;

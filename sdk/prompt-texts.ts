import type { ConsentTexts } from './consent.ts'

type Texts = Readonly<Record<Exclude<keyof ConsentTexts, 'policyUrl'>, string>>

const own: Readonly<
  Record<string, readonly [question: string, explanation: string, no: string, yes: string, policy: string]>
> = {
  en: [
    'Share with other visitors?',
    'This page can get its images and videos from other visitors’ browsers, and pass them on to others. They can then see your IP address. You can change your mind at any time.',
    'No, thanks',
    'Yes, share',
    'Privacy policy',
  ],
  de: [
    'Mit anderen Besuchern teilen?',
    'Diese Seite kann Bilder und Videos aus den Browsern anderer Besucher holen und an andere weitergeben. Diese können dann Ihre IP-Adresse sehen. Sie können es sich jederzeit anders überlegen.',
    'Nein, danke',
    'Ja, teilen',
    'Datenschutzerklärung',
  ],
  fr: [
    'Partager avec d’autres visiteurs ?',
    'Cette page peut obtenir ses images et vidéos auprès des navigateurs d’autres visiteurs, et les transmettre à d’autres. Ils peuvent alors voir votre adresse IP. Vous pouvez changer d’avis à tout moment.',
    'Non, merci',
    'Oui, partager',
    'Politique de confidentialité',
  ],
  es: [
    '¿Compartir con otros visitantes?',
    'Esta página puede obtener sus imágenes y vídeos de los navegadores de otros visitantes y pasarlos a otros. Ellos podrán ver entonces su dirección IP. Puede cambiar de opinión en cualquier momento.',
    'No, gracias',
    'Sí, compartir',
    'Política de privacidad',
  ],
  it: [
    'Condividere con altri visitatori?',
    'Questa pagina può ottenere immagini e video dai browser di altri visitatori e trasmetterli ad altri. Essi potranno allora vedere il tuo indirizzo IP. Puoi cambiare idea in qualsiasi momento.',
    'No, grazie',
    'Sì, condividi',
    'Informativa sulla privacy',
  ],
  pt: [
    'Partilhar com outros visitantes?',
    'Esta página pode obter as suas imagens e vídeos dos navegadores de outros visitantes e passá-los a outros. Eles podem então ver o seu endereço IP. Pode mudar de ideias a qualquer momento.',
    'Não, obrigado',
    'Sim, partilhar',
    'Política de privacidade',
  ],
  nl: [
    'Delen met andere bezoekers?',
    'Deze pagina kan afbeeldingen en video’s ophalen uit de browsers van andere bezoekers en ze aan anderen doorgeven. Zij kunnen dan uw IP-adres zien. U kunt zich altijd bedenken.',
    'Nee, bedankt',
    'Ja, delen',
    'Privacybeleid',
  ],
}

export interface PickedTexts extends Texts {
  /** Of what is given here; a site's own texts are in the page's language. */
  readonly language: string
}

/** The prompt's own texts for a page of this language (BCP 47), in English where there are none. */
export function pickTexts(pageLanguage: string): PickedTexts {
  const wanted = pageLanguage.split('-')[0]?.toLowerCase() ?? ''
  const language = Object.hasOwn(own, wanted) ? wanted : 'en'
  const [question = '', explanation = '', no = '', yes = '', policy = ''] = own[language] ?? []
  return { language, question, explanation, no, yes, policy }
}

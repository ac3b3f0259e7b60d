/* font.h - printable ASCII in one size, as pixels: made from DejaVu Sans by tools/font_header.py, not to be edited
 *
 * The licence of the font is in font.LICENSE. Lengths are in pixels.
 */
#ifndef SHOW_FONT_H
#define SHOW_FONT_H

#include <stdint.h>

enum {
    SHOW_FONT_ASCENT = 13, /* from the top of a line to the baseline */
    SHOW_FONT_HEIGHT = 16, /* from there to the lowest pixel of any character */
    SHOW_FONT_FIRST = 32,  /* the characters are this one to SHOW_FONT_LAST */
    SHOW_FONT_LAST = 126
};

typedef struct ShowGlyph {
    int8_t advance;     /* from this character to the next */
    int8_t left, top;   /* where its pixels begin, to the right of the pen and below the top of the line */
    int8_t width;       /* of its pixels */
    int8_t height;      /* the same */
    const char* pixels; /* (height x width), row by row from the top: 'a' is empty, 'p' is full */
} ShowGlyph;

/* The picture of a character; of '?' for one that the font lacks. */
static inline const ShowGlyph* show_glyph(char character) {
    /* clang-format off */
    static const ShowGlyph glyphs[] = {
        {4, 0, 13, 0, 0, ""},
        {6, 0, 3, 6, 10, "aaniaaaaniaaaaniaaaanhaaaanhaaaamgaaaaaaaaaaaaaaaaniaaaaniaa"},
        {6, 0, 3, 6, 10, "akibpbakibpbakibpbakibpbaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
        {12, 0, 3, 12, 10, "aaaabpaaocaaaaaafmadnaaaaaaaiiahkaaaacppppppppkaaaabpbaocaaaaaaglaenaaaaaopppppppnaaaaandamfaaaaaacoabpbaaaaaaflaenaaaaa"},
        {9, 0, 2, 9, 13, "aaaakaaaaaaaakaaaaabjnpmgaaajmckdjcaamhakaaaaajndkaaaaabinplgaaaaaalfohaaaaakajlaakfbkdnhaadkopniaaaaaakaaaaaaaakaaaa"},
        {13, 0, 3, 13, 10, "aenohaaabncaaaofcodaakgaaadoaakgafmaaaadoaakgbndaaaaaofcodjidnohaaenohdnbnfcodaaaaamecoaajhaaaahjacoaajhaaacnbaanfcodaaamfaaaenoia"},
        {11, 0, 3, 11, 10, "aackongaaaaaallbcjbaaaaaogaaaaaaaaaklaaaaaaaaajpjaaaaaaajmdnkaagoabpeabmlbkjabpfaablnobaaknebcipncaaahnpojcknc"},
        {4, 0, 3, 4, 10, "akiaakiaakiaakiaaaaaaaaaaaaaaaaaaaaaaaaa"},
        {5, 0, 2, 5, 12, "aabocaajiaabpcaagnaaakkaaaljaaaljaaakkaaagnaaabpcaaajjaaaboc"},
        {5, 0, 2, 5, 12, "ajiaaacocaaaliaaagnaaadpcaacpdaacpdaadpcaagnaaaliaacocaajiaa"},
        {7, 0, 3, 7, 10, "aaamaaafjbmbjfaeloleaaeloleafjbmbjfaaamaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
        {12, 0, 4, 12, 9, "aaaaalhaaaaaaaaaalhaaaaaaaaaalhaaaaaaaaaalhaaaaaaippppppppeaaaaaalhaaaaaaaaaalhaaaaaaaaaalhaaaaaaaaaalhaaaaa"},
        {4, 0, 11, 4, 3, "afpbahmaamea"},
        {5, 0, 9, 5, 4, "fpppgaaaaaaaaaaaaaaa"},
        {4, 0, 11, 4, 2, "aioaaioa"},
        {5, 0, 3, 5, 12, "aaajjaaaneaadoaaahkaaamgaabpbaagmaaakhaaaodaaenaaaijaaanfaaa"},
        {9, 0, 3, 9, 10, "aagnpmfaaaepgbhpdaalkaaamkaaogaaainabpfaaahoabpfaaahoaaogaaainaalkaaamkaaepgbhpdaaagnpmfaa"},
        {9, 0, 3, 9, 10, "abgmpfaaaagjdpfaaaaaaapfaaaaaaapfaaaaaaapfaaaaaaapfaaaaaaapfaaaaaaapfaaaaaaapfaaaaepppppja"},
        {9, 0, 3, 9, 10, "adkooldaaalfbbjocaaaaaaapgaaaaaabpfaaaaaaknbaaaaaiodaaaaaioeaaaaahoeaaaaahoeaaaaaappppppia"},
        {9, 0, 3, 9, 10, "abjnomfaaaigcbgpeaaaaaaanhaaaaabgodaaadpppfaaaaaabgpfaaaaaaaklaaaaaaallaakebbhpfaaelooleaa"},
        {9, 0, 3, 9, 10, "aaaagpkaaaaadnmkaaaabnelkaaaajjalkaaafnbalkaacodaalkaafpppppppcaaaaalkaaaaaaalkaaaaaaalkaa"},
        {9, 0, 3, 9, 10, "ahppppoaaahmaaaaaaahmaaaaaaahpooldaaagfbckocaaaaaaaniaaaaaaalkaaaaaaaniaakebckocaadlookdaa"},
        {9, 0, 3, 9, 10, "aackoojbaabnkcbgfaaiobaaaaaanjaaaaaaapilpnibaappfbdnjaankaaahoaakkaaahoaadpfbdnjaaaempniaa"},
        {9, 0, 3, 9, 10, "anpppppkaaaaaacpfaaaaaaioaaaaaaaoiaaaaaafpdaaaaaakmaaaaaabpgaaaaaahobaaaaaanjaaaaaaepdaaaa"},
        {9, 0, 3, 9, 10, "abinpniaaajndaeohaaljaaalkaagndaeofaaaippphaaaindbeogaaohaaainaaogaaainaakndbeoiaabinpniaa"},
        {9, 0, 3, 9, 10, "abjnpmdaaakndbgocabpfaaamiabpfaaammaalmdbgpnaabjookjnaaaaaaaklaaaaaabohaagfbclmaaabjoojbaa"},
        {5, 0, 6, 5, 7, "afpbaafpbaaaaaaaaaaaaaaaaafpbaafpba"},
        {5, 0, 6, 5, 8, "afpbaafpbaaaaaaaaaaaaaaaaafpbaahmaaameaa"},
        {12, 0, 5, 12, 8, "aaaaaaaafleaaaaaacioojbaaabgmplgbaaaafonicaaaaaaafonicaaaaaaaabgmplfbaaaaaaaacioojbaaaaaaaaaflea"},
        {12, 0, 6, 12, 7, "aippppppppeaaaaaaaaaaaaaaaaaaaaaaaaaaippppppppeaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
        {12, 0, 5, 12, 8, "ahjdaaaaaaaaadlpmhbaaaaaaaachnpkeaaaaaaaaadjoncaaaaaaadjoncaaaachnpkeaaaadlpnhbaaaaaahjdaaaaaaaa"},
        {7, 0, 3, 7, 10, "aemonhaaldafpeaaaaapfaaaajnbaaakncaaadpcaaaaepaaaaaaaaaaaafpbaaaafpbaa"},
        {14, 0, 3, 14, 12, "aaaagloonibaaaaacmlebadioeaaabngaaaaaadocaaijabjongoagkaancailccloaboaaoaameaaeoaapaaoaameaaeoadmaancailcblodneaaijabjonholdaaabngaaaaaaaaaaaacnkebbdjkaaaaaabhmoomjdaaa"},
        {10, 0, 3, 10, 10, "aaadpmaaaaaaajmpcaaaaaboeliaaaaafnafoaaaaalhaaofaaacpcaailaaaippppppcaaofaaaalhafpbaaaahnaklaaaaacpe"},
        {10, 0, 3, 10, 10, "ajpppoldaaajlaabkoaaajlaaaepcaajlaabknaaajppppodaaajlaabhocaajlaaaaoiaajlaaaaoiaajlaabhpdaajpppomfaa"},
        {10, 0, 3, 10, 10, "aabinpnleaacnldabelaaknaaaaaaabphaaaaaaadpfaaaaaaadpfaaaaaaabphaaaaaaaaknaaaaaaaacnldabelaaabinpnlea"},
        {11, 0, 3, 11, 10, "ajpppolgaaaajlaabfnlaaajlaaaacphaajlaaaaakmaajlaaaaaioaajlaaaaaioaajlaaaaakmaajlaaaacphaajlaabfnmbaajpppolgaaa"},
        {9, 0, 3, 9, 10, "ajpppppmaajlaaaaaaajlaaaaaaajlaaaaaaajpppppjaajlaaaaaaajlaaaaaaajlaaaaaaajlaaaaaaajpppppoa"},
        {8, 0, 3, 8, 10, "ajpppppeajlaaaaaajlaaaaaajlaaaaaajppppmaajlaaaaaajlaaaaaajlaaaaaajlaaaaaajlaaaaa"},
        {11, 0, 3, 11, 10, "aabinpomgbaacnlebbdjgaaknaaaaaaaabphaaaaaaaadpfaaaaaaaadpfaaaopplabphaaaaaklaaknaaaaaklaacnmebbdmlaaabinpomiba"},
        {11, 0, 3, 11, 10, "ajlaaaaepcaajlaaaaepcaajlaaaaepcaajlaaaaepcaajpppppppcaajlaaaaepcaajlaaaaepcaajlaaaaepcaajlaaaaepcaajlaaaaepca"},
        {4, 0, 3, 4, 10, "ajlaajlaajlaajlaajlaajlaajlaajlaajlaajla"},
        {4, -1, 3, 5, 13, "aajlaaajlaaajlaaajlaaajlaaajlaaajlaaajlaaajlaaajlaaalkaadogaloiaa"},
        {9, 0, 3, 10, 10, "ajlaaaeoiaajlaafphaaajlagpgaaaajlhpfaaaaajppfaaaaaajmnmbaaaaajlbmmbaaaajlabmnbaaajlaabmnbaajlaaabmnc"},
        {8, 0, 3, 8, 10, "ajlaaaaaajlaaaaaajlaaaaaajlaaaaaajlaaaaaajlaaaaaajlaaaaaajlaaaaaajlaaaaaajpppppl"},
        {12, 0, 3, 12, 10, "ajpjaaaaiplaajnobaaaonlaajlmgaafnklaajlgmaalhklaajlbodcpbklaajlajihkaklaajlaeonfaklaajlaanoaaklaajlaaaaaaklaajlaaaaaakla"},
        {10, 0, 3, 10, 10, "ajpiaaaepbajpobaaepbajlmjaaepbajlepcaepbajlalkaepbajladpdepbajlaaklepbajlaacpipbajlaaajppbajlaaabopb"},
        {11, 0, 3, 11, 10, "aacjnpnjcaaacoldaclocaaknaaaaankabphaaaaahpbdpfaaaaaepddpfaaaaaepdbphaaaaahpbaknaaaaankaacoldackocaaacjnpojcaa"},
        {8, 0, 3, 8, 10, "ajpppnibajlaaeojajlaaajnajlaaajnajlaaeojajpppnibajlaaaaaajlaaaaaajlaaaaaajlaaaaa"},
        {11, 0, 3, 11, 12, "aacjnpnjcaaacoldaclocaaknaaaaankabphaaaaahpbdpfaaaaaepddpfaaaaaepdbphaaaaahpbaknaaaaankaacoldackocaaacjnppmbaaaaaaaaiocaaaaaaaaamnba"},
        {10, 0, 3, 10, 10, "ajpppnibaaajlaaeojaaajlaaainaaajlaaaioaaajlaadoiaaajppppkaaaajlaafpfaaajlaaaiobaajlaaaboiaajlaaaagob"},
        {9, 0, 3, 9, 10, "abinomhbaakmdbchhaapgaaaaaaaojaaaaaaafookhcaaaabfjnpgaaaaaaajoaaaaaaagpbalfcbdnlaaeknoniba"},
        {9, -1, 3, 10, 10, "bppppppppjaaaagpaaaaaaaagpaaaaaaaagpaaaaaaaagpaaaaaaaagpaaaaaaaagpaaaaaaaagpaaaaaaaagpaaaaaaaagpaaaa"},
        {10, 0, 3, 10, 10, "amjaaaafpaamjaaaafpaamjaaaafpaamjaaaafpaamjaaaafpaamjaaaafpaalkaaaagpaajnaaaajmaacpibbfogaaadloomfaa"},
        {10, 0, 3, 10, 10, "llaaaaacpefpcaaaainaaoiaaaaohaainaaafpcaacpeaallaaaalkacpfaaaafpbhoaaaaabogniaaaaaajopcaaaaaadpmaaaa"},
        {14, 0, 3, 14, 10, "goaaaaomaaacpecpeaaeopbaagpaanhaahkmfaaklaaklaalgijaaohaagpaapcenacpeaacpeenabpbgoaaaaniikaamfklaaaajllgaaijohaaaagppcaaeopdaaaacpnaaabpoaaa"},
        {10, 0, 3, 10, 10, "amkaaabnjaacogaajnbaaagocfpdaaaaallohaaaaaacpmaaaaaaagpocaaaaacoglmaaaaamkabohaaainbaafpcaepeaaaakma"},
        {9, -1, 3, 10, 10, "akmaaaaepeabohaabniaaafpdajmaaaaajmfpdaaaaabnphaaaaaaahpaaaaaaaagpaaaaaaaagpaaaaaaaagpaaaaaaaagpaaaa"},
        {10, 0, 3, 10, 10, "dpppppppmaaaaaaafphaaaaaadokaaaaaabnmaaaaaaalocaaaaaajpdaaaaaagpgaaaaaadpjaaaaaacolaaaaaaagppppppppa"},
        {5, 0, 2, 5, 12, "amppcamhaaamhaaamhaaamhaaamhaaamhaaamhaaamhaaamhaaamhaaamppc"},
        {5, 0, 3, 5, 12, "nfaaaijaaaenaaaaodaaakhaaagmaaabpbaaamgaaahkaaadoaaaaneaaajj"},
        {5, 0, 2, 5, 12, "akppeaaapeaaapeaaapeaaapeaaapeaaapeaaapeaaapeaaapeaaapeakppe"},
        {12, 0, 3, 12, 10, "aaaaepncaaaaaaadoilnbaaaaadohaakmbaaacogaaaaklaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
        {7, -1, 13, 9, 3, "aaaaaaaaaaaaaaaaaacpppppppc"},
        {7, 0, 2, 7, 11, "ahmaaaaaalhaaaaabncaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
        {9, 0, 5, 9, 8, "ajppolcaaaaaabjnaaaaaaaapdaadkopppeaanjcaapfacpcaadpfaaoibdmpfaaenpnhofa"},
        {9, 0, 2, 9, 11, "aliaaaaaaaliaaaaaaaliaaaaaaaljkooiaaalphbeohaalmaaahnaaljaaaepbaljaaaepbalmaaahnaalphbeohaaljkooiaa"},
        {8, 0, 5, 8, 8, "aahnpmeaaiofbdjabogaaaaadpcaaaaadpcaaaaabogaaaaaaiofbdjaaahnpmea"},
        {9, 0, 2, 9, 11, "aaaaaakjaaaaaaakjaaaaaaakjaaajonjkjaaindbipjabpfaaanjadpcaaaljadpcaaaljabpfaaanjaaindbipjaabjoojkja"},
        {9, 0, 5, 9, 8, "aahnpngaaahndbeofaaoeaaahladppppppnadpcaaaaaabohaaaaaaaiofbcghaaagnpnjba"},
        {5, 0, 2, 6, 11, "aajopdafocaaahmaaakpppnaahmaaaahmaaaahmaaaahmaaaahmaaaahmaaaahmaaa"},
        {9, 0, 5, 9, 11, "abjonjkjaajndbipjabpfaaanjadpcaaakjadpcaaaljabpfaaanjaajndbipjaabjoojljaaaaaaanhaaegbbiocaabjnoldaa"},
        {9, 0, 2, 9, 11, "aliaaaaaaaliaaaaaaaliaaaaaaaljkoojaaalpgbdogaalkaaakjaaliaaajkaaliaaajkaaliaaajkaaliaaajkaaliaaajka"},
        {4, 0, 2, 4, 11, "akjaakjaaaaaakjaakjaakjaakjaakjaakjaakjaakja"},
        {4, -1, 2, 5, 14, "aakjaaakjaaaaaaaakjaaakjaaakjaaakjaaakjaaakjaaakjaaakjaaaliaabngaeokaa"},
        {8, 0, 2, 9, 11, "aliaaaaaaaliaaaaaaaliaaaaaaaliaaeofaaliafoeaaalihoeaaaalnpdaaaaalkojaaaaalicoiaaaaliacoiaaaliaacoia"},
        {4, 0, 2, 4, 11, "akjaakjaakjaakjaakjaakjaakjaakjaakjaakjaakja"},
        {14, 0, 5, 14, 8, "alkkooickongaaalpfbepofbfpcaalkaaamkaaangaaliaaamiaaamhaaliaaamiaaamhaaliaaamiaaamhaaliaaamiaaamhaaliaaamiaaamha"},
        {9, 0, 5, 9, 8, "aljkoojaaalpgbdogaalkaaakjaaliaaajkaaliaaajkaaliaaajkaaliaaajkaaliaaajka"},
        {9, 0, 5, 9, 8, "aaiopmeaaaindbipcaapfaaamiacpcaaajladpcaaajlaapfaaamiaaindbhpcaaaiopmeaa"},
        {9, 0, 5, 9, 11, "aljkooiaaalphbeohaalmaaahnaaljaaaepbaljaaaepbalmaaahnaalphbeohaaljkooiaaaliaaaaaaaliaaaaaaaliaaaaaa"},
        {9, 0, 5, 9, 11, "aajonjkjaaindbipjabpfaaanjadpcaaaljadpcaaaljabpfaaanjaaindbipjaabjoojkjaaaaaaakjaaaaaaakjaaaaaaakja"},
        {6, 0, 5, 6, 8, "aljkolalpgbaallaaaaliaaaaliaaaaliaaaaliaaaaliaaa"},
        {7, 0, 5, 7, 8, "aemonhabogbcidcpcaaaaalniebaaaeimncaaaaamidjdadogagmonia"},
        {5, 0, 3, 6, 10, "aliaaaaliaaajppppcaliaaaaliaaaaliaaaaliaaaakjaaaailbaaacmopc"},
        {9, 0, 5, 9, 8, "amhaaakjaamhaaakjaamhaaakjaamhaaakjaamhaaakjaaliaaamjaaincbhpjaabkonjkja"},
        {8, 0, 5, 8, 8, "goaaaakkbpeaabofakkaafoaafobaljaaaofbpeaaajlgnaaaaepniaaaaanpdaa"},
        {11, 0, 5, 11, 8, "eoaacpjaailbpdagonaamhamhakhpbbpdailandlfeoaaeocoaijilaabpjlaenmhaaamphaappdaaaipdaaloaa"},
        {8, 0, 5, 8, 8, "bohaadpfaepdbnjaaainjnbaaaanpdaaaacopfaaaamkhocaainballaepeaaboh"},
        {8, 0, 5, 8, 11, "goaaaakkbofaabpeajlaagoaadpbamiaaamhdpcaaagnjlaaaabppgaaaaakobaaaaaljaaaaaepdaaaanohaaaa"},
        {7, 0, 5, 7, 8, "eppppplaaaacohaaabnkaaaakmbaaaiocaaafpeaaadogaaaagpppppl"},
        {9, 0, 2, 9, 13, "aaaahnpcaaaabpgaaaaaacpcaaaaaacpcaaaaaacpcaaaaabioaaaaaeppfaaaaaabioaaaaaaadpcaaaaaacpcaaaaaacpcaaaaaaapgaaaaaaagnpca"},
        {5, 0, 2, 5, 14, "adoaaadoaaadoaaadoaaadoaaadoaaadoaaadoaaadoaaadoaaadoaaadoaaadoaaadoaa"},
        {9, 0, 2, 9, 13, "aepngaaaaaaaioaaaaaaaepaaaaaaaepaaaaaaadpbaaaaaabphaaaaaaagppcaaaabphbaaaaadpbaaaaaaepaaaaaaaepaaaaaaainaaaaaepnfaaaa"},
        {12, 0, 7, 12, 6, "aaaaaaaaaaaaabjnokfbcjeaahgbbgmonhaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
    };
    /* clang-format on */
    const int code = (unsigned char)character;
    return &glyphs[(code < SHOW_FONT_FIRST || code > SHOW_FONT_LAST ? '?' : code) - SHOW_FONT_FIRST];
}

#endif
